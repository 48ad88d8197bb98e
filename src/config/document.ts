// Reads YAML (and JSON, which is a part of it) and remembers on which line each key stands.

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';
import { ConfigError, type Path } from './problems.ts';

export interface ConfigDocument {
  /** Plain data; an empty file is an empty object. */
  readonly value: Readonly<Record<string, unknown>>;
  /** Where the key at the path stands; where it is missing, where its nearest parent does. Line 0 for no path. */
  locate(path: Path): { line: number; column: number };
}

/** Throws `ConfigError` where the text is not YAML, holds no mapping at the top, or expands beyond reason. */
export function parseConfigDocument(text: string, fileName: string): ConfigDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2' });
  const place = (offset: number | undefined) => {
    const found = lines.linePos(offset ?? 0);
    return { line: Math.max(1, found.line), column: Math.max(1, found.col) };
  };
  const refuse = (troubles: readonly Trouble[]): void => {
    if (troubles.length === 0) return;
    throw new ConfigError(
      fileName,
      troubles.map(({ offset, message }) => ({ ...place(offset), key: '', message })),
    );
  };
  refuse([...document.errors, ...document.warnings].map(inOurWords));
  let troubles: readonly Trouble[] = [];
  let value: unknown;
  try {
    troubles = notResolved(document);
    if (troubles.length === 0) value = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    troubles = [{ offset: 0, message: sentence(error instanceof Error ? error.message : String(error)) }];
  }
  refuse(troubles);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    refuse([{ offset: 0, message: 'the file must hold keys such as `providers:` and `budgets:`' }]);
  return {
    value: value as Readonly<Record<string, unknown>>,
    locate: (path) => (path.length === 0 ? { line: 0, column: 0 } : place(offsetOf(document, path))),
  };
}

interface Trouble {
  readonly offset: number;
  readonly message: string;
}

function inOurWords({ code, message, pos }: YAMLError): Trouble {
  const several = code === 'MULTIPLE_DOCS';
  return {
    offset: pos[0],
    message: several ? 'a second document begins here; the file must hold one' : sentence(message),
  };
}

/** What the reader would fail at without saying where, or take for a key. */
function notResolved(document: Document): Trouble[] {
  const anchors = new Set<string>();
  const troubles: Trouble[] = [];
  const trouble = (node: Node, message: string) => troubles.push({ offset: node.range?.[0] ?? 0, message });
  visit(document, {
    Alias(_, alias) {
      if (anchors.has(alias.source)) return;
      const cure = `write &${alias.source} before the value that is meant`;
      trouble(alias, `*${alias.source} names no anchor above it: ${cure}`);
    },
    Value(_, node) {
      if (node.anchor) anchors.add(node.anchor);
    },
    Pair(_, { key }) {
      if (isScalar(key) && key.value === '<<' && key.type === 'PLAIN')
        trouble(key, 'merging with << is not supported; write the keys out, or give the whole value by its alias');
    },
  });
  return troubles;
}

function sentence(message: string): string {
  return message.replace(/\s+/g, ' ').trim();
}

function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const step of path) {
    const resolved = isAlias(node) ? node.resolve(document) : node;
    if (isMap(resolved)) {
      const pair = resolved.items.find(
        (item: Pair) => String(isScalar(item.key) ? item.key.value : item.key) === String(step),
      );
      if (!pair) return offset;
      offset = (pair.key as Node | null)?.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(resolved)) {
      node = resolved.items[Number(step)];
      const range = (node as Node | undefined)?.range;
      if (!range) return offset;
      offset = range[0];
    } else return offset;
  }
  return offset;
}
