// Turns what the schema refuses into problems that name a line, a key and, where one is near, the right word.

import type { z } from 'zod';
import type { ConfigDocument } from './document.ts';
import type { Findings, Path } from './problems.ts';
import { type ConfigFile, configSchema, jsonSchema, laterKeys, laterSections } from './schema.ts';
import { nearest } from './suggest.ts';

type Issue = z.core.$ZodIssue;

/** The typed file, or undefined where its shape is wrong (the findings then say how). */
export function validate(document: ConfigDocument, findings: Findings): ConfigFile | undefined {
  const value: Record<string, unknown> = { ...document.value };
  for (const [section, message] of Object.entries(laterSections)) {
    if (!(section in value)) continue;
    findings.problem([section], message);
    delete value[section];
  }
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) report(issue, [], findings);
  return undefined;
}

function report(issue: Issue, parent: Path, findings: Findings): void {
  const path: Path = [...parent, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) reportUnknownKey(path, key, findings);
  } else if (issue.code === 'invalid_union') {
    reportUnion(issue, path, findings);
  } else if (issue.code === 'invalid_value' && issue.values.length > 1) {
    findings.problem(path, `must be one of ${issue.values.map(String).join(', ')}`);
  } else {
    findings.problem(path, messageOf(issue));
  }
}

function messageOf(issue: Issue): string {
  if (issue.code === 'invalid_type') {
    return /received undefined/.test(issue.message) ? 'is missing' : `must be ${article(issue.expected)}`;
  }
  const message = issue.message.replace(/^Invalid input: /, '').replace(/^Too (small|big): /, '');
  return message.charAt(0).toLowerCase() + message.slice(1);
}

function article(expected: string): string {
  const names: Readonly<Record<string, string>> = {
    record: 'a mapping of names',
    object: 'a mapping of keys',
    array: 'a list',
    int: 'a whole number',
    boolean: 'true or false',
  };
  return names[expected] ?? `a ${expected}`;
}

/** Of a union, the branch whose kind fits is the one that was meant; where none fits, all are named. */
function reportUnion(issue: Issue & { code: 'invalid_union' }, path: Path, findings: Findings): void {
  const branches = issue.errors as readonly (readonly Issue[])[];
  const meant = branches.find(
    (branch) => !branch.some((inner) => inner.code === 'invalid_type' && inner.path.length === 0),
  );
  if (meant) {
    for (const inner of meant) report(inner, path, findings);
    return;
  }
  const kinds = branches.flat().flatMap((inner) => (inner.code === 'invalid_type' ? [article(inner.expected)] : []));
  findings.problem(
    path,
    kinds.length > 0 ? `must be ${[...new Set(kinds)].join(' or ')}` : 'is missing or has the wrong kind',
  );
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
