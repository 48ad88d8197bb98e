// Turns what the schema refuses into problems that name a line, a key and, where one is near, the right word.

import type { ConfigDocument } from './document.ts';
import type { Findings, Path } from './problems.ts';
import { type ConfigFile, configSchema, jsonSchema, laterKeys, laterSections } from './schema.ts';
import { nearest } from './suggest.ts';
import { readValue } from './wrong-values.ts';

/** The typed file, or undefined where its shape is wrong (the findings then say how). */
export function validate(document: ConfigDocument, findings: Findings): ConfigFile | undefined {
  const value: Record<string, unknown> = { ...document.value };
  for (const [section, message] of Object.entries(laterSections)) {
    if (!(section in value)) continue;
    findings.problem([section], message);
    delete value[section];
  }
  const { data, wrongs = [] } = readValue(configSchema, value);
  for (const { path, message, unknownKey } of wrongs) {
    if (unknownKey === undefined) findings.problem(path, message);
    else reportUnknownKey(path.slice(0, -1), unknownKey, findings);
  }
  return data;
}

function reportUnknownKey(path: Path, key: string, findings: Findings): void {
  const later = laterKeys[key];
  if (later) {
    findings.problem([...path, key], later);
    return;
  }
  const known = knownKeys(path);
  const suggestion = nearest(key, path.length === 0 ? [...known, ...Object.keys(laterSections)] : known);
  const message = suggestion ? 'unknown key' : `unknown key; known here: ${known.join(', ')}`;
  findings.problem([...path, key], message, suggestion);
}

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

function knownKeys(path: Path): string[] {
  let nodes: SchemaNode[] = [jsonSchema()];
  for (const step of path) {
    nodes = nodes.flatMap(alternatives).flatMap((node) => {
      const next = typeof step === 'number' ? node.items : (node.properties?.[step] ?? node.additionalProperties);
      return typeof next === 'object' ? [next] : [];
    });
  }
  const names = nodes.flatMap(alternatives).flatMap((node) => Object.keys(node.properties ?? {}));
  return names.filter((name) => name !== '$schema');
}

function alternatives(node: SchemaNode): SchemaNode[] {
  return node.anyOf ? node.anyOf.flatMap(alternatives) : [node];
}
