// Reads YAML (and JSON, which is a part of it) and remembers on which line each key stands.

import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
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
  const troubles = [...document.errors, ...document.warnings];
  if (troubles.length > 0) {
    throw new ConfigError(
      fileName,
      troubles.map((trouble) => ({ ...place(trouble.pos[0]), key: '', message: sentence(trouble.message) })),
    );
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ConfigError(fileName, [{ line: 1, column: 1, key: '', message: sentence(message) }]);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const message = 'the file must hold keys such as `providers:` and `budgets:`';
    throw new ConfigError(fileName, [{ line: 1, column: 1, key: '', message }]);
  }
  return {
    value: value as Readonly<Record<string, unknown>>,
    locate: (path) => (path.length === 0 ? { line: 0, column: 0 } : place(offsetOf(document, path))),
  };
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
