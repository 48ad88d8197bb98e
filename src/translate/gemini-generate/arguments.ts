// The arguments of a function call that comes in pieces: paths and values (`$.items[0].name`, "...") as one JSON object.

import { type Fields, field, fieldsOf, listOf, numberOf, textOf } from './wire.ts';

/** Higher indexes are ignored: a single number must not fill the memory. */
const longestArray = 10_000;

type Node = Map<string | number, unknown>;

/** Collects pieces in order; strings that will continue are joined. */
export interface PartialArguments {
  add(pieces: unknown): void;
  json(): string;
}

export function partialArguments(): PartialArguments {
  const root: Node = new Map();
  return {
    add(pieces) {
      for (const each of listOf(pieces)) put(root, fieldsOf(each));
    },
    json: () => JSON.stringify(plain(root)),
  };
}

function put(root: Node, piece: Fields): void {
  const steps = stepsOf(textOf(field(piece, 'jsonPath')) ?? '');
  const last = steps.pop();
  if (last === undefined) return;
  let node = root;
  for (const step of steps) {
    const next = node.get(step);
    if (next instanceof Map) node = next;
    else {
      const made: Node = new Map();
      node.set(step, made);
      node = made;
    }
  }
  const text = textOf(field(piece, 'stringValue'));
  if (text !== undefined) {
    const before = node.get(last);
    node.set(last, typeof before === 'string' ? before + text : text);
    return;
  }
  const number = numberOf(field(piece, 'numberValue'));
  if (number !== undefined) node.set(last, number);
  else if (typeof field(piece, 'boolValue') === 'boolean') node.set(last, field(piece, 'boolValue'));
  else if ('nullValue' in piece || 'null_value' in piece) node.set(last, null);
}

function stepsOf(path: string): (string | number)[] {
  const steps: (string | number)[] = [];
  for (const match of path.matchAll(/\.([^.[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/g)) {
    if (match[2] !== undefined) {
      const index = Number(match[2]);
      if (index > longestArray) return [];
      steps.push(index);
    } else steps.push(match[1] ?? match[3] ?? match[4] ?? '');
  }
  return steps;
}

function plain(value: unknown): unknown {
  if (!(value instanceof Map)) return value;
  const keys = [...value.keys()];
  if (keys.length > 0 && keys.every((key) => typeof key === 'number')) {
    const list: unknown[] = [];
    for (const [key, member] of value) if (typeof key === 'number') list[key] = plain(member);
    return Array.from(list, (member) => member ?? null);
  }
  // `fromEntries` defines own properties, so that a path through `__proto__` changes nothing else.
  return Object.fromEntries([...value].map(([key, member]) => [String(key), plain(member)]));
}
