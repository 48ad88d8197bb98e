// Readers of any JSON, shared by the formats: they give what is there and never throw, because dialects are many.

export type Json = Readonly<Record<string, unknown>>;

const nothing: Json = Object.freeze({});

/** The value where it is an object, otherwise an empty one. */
export function object(value: unknown): Json {
  return isObject(value) ? value : nothing;
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const none: readonly unknown[] = Object.freeze([]);

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : none;
}

/** The value where it is a string that says something. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function finite(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

export function boolean(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

/** Parses without throwing. */
export function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** An object whose undefined members are left out, so that nothing is said that was not there. */
export function compact(members: Record<string, unknown>): Record<string, unknown> {
  for (const key of Object.keys(members)) if (members[key] === undefined) delete members[key];
  return members;
}

/** The quote that closes the string whose opening quote is at `at`, or -1. */
export function closingQuote(text: string, at: number): number {
  let end = text.indexOf('"', at + 1);
  while (end > 0 && text.charCodeAt(end - 1) === 0x5c) {
    let slashes = 1;
    while (text.charCodeAt(end - 1 - slashes) === 0x5c) slashes++;
    if (slashes % 2 === 0) break;
    end = text.indexOf('"', end + 1);
  }
  return end;
}
