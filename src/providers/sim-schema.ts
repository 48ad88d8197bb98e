// A value that fits a JSON schema of the simple kind, for the built-in provider's tool calls and structured output.

type Schema = Readonly<Record<string, unknown>>;

/** Deeper than any schema a person writes; recursive ones end here. */
const maxDepth = 12;

/** The smallest pleasant value. `pattern`, `not` and conditions are not read. */
export function valueFor(schema: unknown, root: unknown = schema, depth = 0): unknown {
  if (!isObject(schema) || depth > maxDepth) return null;
  if ('const' in schema) return schema.const;
  if ('default' in schema) return schema.default;
  if (Array.isArray(schema.enum)) return schema.enum[0] ?? null;
  if (typeof schema.$ref === 'string') return valueFor(resolve(schema.$ref, root), root, depth + 1);
  const merged = Array.isArray(schema.allOf) ? merge(schema, root) : schema;
  const choices = merged.anyOf ?? merged.oneOf;
  // Past half the depth the last choice is taken: recursive schemas put their leaf (often null) there.
  if (Array.isArray(choices)) return valueFor(depth > maxDepth / 2 ? choices.at(-1) : choices[0], root, depth + 1);
  switch (typeOf(merged)) {
    case 'object':
      return objectFor(merged, root, depth);
    case 'array':
      return arrayFor(merged, root, depth);
    case 'string':
      return stringFor(merged);
    case 'number':
      return numberFor(merged, 1.5);
    case 'integer':
      return Math.ceil(numberFor(merged, 1));
    case 'boolean':
      return true;
    default:
      return null;
  }
}

function typeOf(schema: Schema): unknown {
  const { type } = schema;
  if (Array.isArray(type)) return type.find((one) => one !== 'null') ?? 'null';
  if (type !== undefined) return type;
  if (isObject(schema.properties)) return 'object';
  return schema.items === undefined ? 'string' : 'array';
}

function objectFor(schema: Schema, root: unknown, depth: number): Record<string, unknown> {
  const properties = isObject(schema.properties) ? schema.properties : {};
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const value: Record<string, unknown> = {};
  for (const [name, one] of Object.entries(properties)) {
    if (depth > maxDepth / 2 && !required.has(name)) continue;
    value[name] = valueFor(one, root, depth + 1);
  }
  return value;
}

function arrayFor(schema: Schema, root: unknown, depth: number): unknown[] {
  const least = typeof schema.minItems === 'number' ? schema.minItems : depth > maxDepth / 2 ? 0 : 1;
  const most = typeof schema.maxItems === 'number' ? schema.maxItems : 100;
  const length = Math.min(least, most, 100);
  return Array.from({ length }, () => (schema.items === undefined ? 'item' : valueFor(schema.items, root, depth + 1)));
}

const byFormat: Readonly<Record<string, string>> = {
  date: '2026-01-01',
  time: '12:00:00Z',
  'date-time': '2026-01-01T12:00:00Z',
  email: 'someone@example.com',
  uri: 'https://example.com/',
  uuid: '00000000-0000-4000-8000-000000000000',
  ipv4: '192.0.2.1',
};

function stringFor(schema: Schema): string {
  const text = byFormat[String(schema.format)] ?? 'simulated';
  const least = typeof schema.minLength === 'number' ? Math.min(schema.minLength, 1000) : 0;
  const most = typeof schema.maxLength === 'number' ? schema.maxLength : 1000;
  return text.padEnd(least, '.').slice(0, Math.max(most, 0));
}

function numberFor(schema: Schema, wanted: number): number {
  const step = typeof schema.multipleOf === 'number' && schema.multipleOf > 0 ? schema.multipleOf : undefined;
  let value = wanted;
  if (typeof schema.maximum === 'number') value = Math.min(value, schema.maximum);
  if (typeof schema.exclusiveMaximum === 'number') value = Math.min(value, schema.exclusiveMaximum - (step ?? 1));
  if (typeof schema.minimum === 'number') value = Math.max(value, schema.minimum);
  if (typeof schema.exclusiveMinimum === 'number') value = Math.max(value, schema.exclusiveMinimum + (step ?? 1));
  return step === undefined ? value : Math.ceil(value / step) * step;
}

function merge(schema: Schema, root: unknown): Schema {
  const { allOf, ...rest } = schema;
  let merged: Record<string, unknown> = rest;
  for (const one of allOf as unknown[]) {
    const part = isObject(one) && typeof one.$ref === 'string' ? resolve(one.$ref, root) : one;
    if (!isObject(part)) continue;
    const properties = { ...(merged.properties as Schema | undefined), ...(part.properties as Schema | undefined) };
    merged = { ...merged, ...part, ...(Object.keys(properties).length > 0 ? { properties } : {}) };
  }
  return merged;
}

/** Only references into the same document. */
function resolve(reference: string, root: unknown): unknown {
  let at: unknown = root;
  for (const step of reference.replace(/^#\/?/, '').split('/').filter(Boolean)) {
    if (!isObject(at)) return undefined;
    at = at[step.replace(/~1/g, '/').replace(/~0/g, '~')];
  }
  return at;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
