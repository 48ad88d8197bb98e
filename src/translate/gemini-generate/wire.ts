// How Gemini's JSON is read: proto JSON allows camelCase and snake_case, enums by name or number, and anything may be missing.

export type Fields = Readonly<Record<string, unknown>>;

const snakeNames = new Map<string, string>();

/** The snake_case spelling of a camelCase name. */
export function snakeOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The same, remembered: for names of this folder's sources alone, which bound the memory. */
export function snake(name: string): string {
  let found = snakeNames.get(name);
  if (found === undefined) {
    found = snakeOf(name);
    snakeNames.set(name, found);
  }
  return found;
}

/** The camelCase spelling of a name that may be written with underscores. */
export function camel(name: string): string {
  // Nearly every name has none, and the search for a pattern costs ten times the search for a letter.
  if (!name.includes('_')) return name;
  return name.replace(/(?<=[a-z0-9])_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** A field in either spelling; null counts as absent, as proto JSON has it. */
export function field(fields: Fields, name: string): unknown {
  return fields[name] ?? fields[snake(name)] ?? undefined;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

export function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return value === undefined || value === null ? [] : [value];
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Proto JSON writes 64-bit integers as strings and accepts strings for all numbers. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

/** An enum written by name or by number. */
export function enumOf(value: unknown, names: readonly string[]): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? (names[value] ?? String(value)) : undefined;
}

/** Like `JSON.parse`, but undefined where the text is not JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

export const modalities = ['MODALITY_UNSPECIFIED', 'TEXT', 'IMAGE', 'VIDEO', 'AUDIO', 'DOCUMENT'];

export const schemaTypes = ['TYPE_UNSPECIFIED', 'STRING', 'NUMBER', 'INTEGER', 'BOOLEAN', 'ARRAY', 'OBJECT', 'NULL'];

/**
 * The generation of a model by its name (`gemini-2.5-flash` is 2.5). Names without a number (`gemini-flash-latest`,
 * tuned models) count as the newest, because Google moves those names on.
 */
export function generation(model: string): number {
  const match = /gemini-(?:[a-z]+-)*?(\d+(?:\.\d+)?)/.exec(model);
  return match ? Number(match[1]) : 99;
}
