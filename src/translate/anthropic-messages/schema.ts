// JSON schemas for this format's structured output: every object has to be closed.

import { isObject, type Json } from '../json.ts';

/** Keywords under which a name leads to a schema, and those whose value is one schema or a list of them. */
const named = new Set(['properties', '$defs', 'definitions', 'patternProperties']);
const nested = new Set(['items', 'anyOf', 'allOf', 'oneOf', 'prefixItems', 'not']);

/** Sets `additionalProperties: false` wherever an object leaves it open by saying nothing. */
export function closed(schema: Json): Json {
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (named.has(key) && isObject(value)) {
      copy[key] = Object.fromEntries(Object.entries(value).map(([name, each]) => [name, closedValue(each)]));
    } else copy[key] = nested.has(key) ? closedValue(value) : value;
  }
  const isOfObjects = schema.type === 'object' || isObject(schema.properties);
  if (isOfObjects && schema.additionalProperties === undefined) copy.additionalProperties = false;
  return copy;
}

function closedValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closedValue);
  return isObject(value) ? closed(value) : value;
}
