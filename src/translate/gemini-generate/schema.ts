// JSON Schema and Gemini's own Schema (an OpenAPI 3.0 subset), in both directions.

import type { Loss } from '../../exchange/prompt.ts';
import { camel, enumOf, type Fields, fieldsOf, isFields, listOf, numberOf, schemaTypes, textOf } from './wire.ts';

const countKeys = new Set(['maxItems', 'minItems', 'maxProperties', 'minProperties', 'maxLength', 'minLength']);
const copied = ['title', 'description', 'format', 'pattern', 'minimum', 'maximum', 'required', 'default'];
/** Nesting beyond this is cut, so that a `$ref` to itself cannot expand without end. */
const deepest = 16;

/** Gemini's Schema as JSON Schema: types in lower case, `nullable` as a type, counts as numbers. */
export function fromGeminiSchema(value: unknown): Record<string, unknown> {
  const schema: Record<string, unknown> = {};
  let nullable = false;
  for (const [name, member] of Object.entries(fieldsOf(value))) {
    const key = camel(name);
    if (key === 'type') schema.type = typeName(member);
    else if (key === 'nullable') nullable = member === true;
    else if (key === 'properties' || key === '$defs' || key === 'defs') {
      schema[key === 'defs' ? '$defs' : key] = Object.fromEntries(
        Object.entries(fieldsOf(member)).map(([property, each]) => [property, fromGeminiSchema(each)]),
      );
    } else if (key === 'items') schema.items = fromGeminiSchema(member);
    else if (key === 'anyOf') schema.anyOf = listOf(member).map(fromGeminiSchema);
    else if (key === 'additionalProperties') schema[key] = isFields(member) ? fromGeminiSchema(member) : member;
    else if (key === 'ref') schema.$ref = member;
    else if (key === 'example') schema.examples = [member];
    else if (countKeys.has(key)) schema[key] = numberOf(member) ?? member;
    else if (key !== 'propertyOrdering') schema[key] = member;
  }
  if (nullable) makeNullable(schema);
  return schema;
}

function typeName(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(typeName);
  return enumOf(value, schemaTypes)?.toLowerCase() ?? value;
}

function makeNullable(schema: Record<string, unknown>): void {
  if (typeof schema.type === 'string') schema.type = [schema.type, 'null'];
  else if (Array.isArray(schema.anyOf)) schema.anyOf = [...schema.anyOf, { type: 'null' }];
}

/**
 * JSON Schema as Gemini's Schema, for models that do not take JSON Schema. References are written out; keywords that
 * have no place are reported under `path`.
 */
export function toGeminiSchema(schema: Fields, path: string): { schema: Record<string, unknown>; losses: Loss[] } {
  const losses: Loss[] = [];
  return { schema: convert(schema, { root: schema, losses, path, depth: 0 }), losses };
}

interface Place {
  readonly root: Fields;
  readonly losses: Loss[];
  readonly path: string;
  readonly depth: number;
}

function convert(given: Fields, place: Place): Record<string, unknown> {
  const schema = resolve(given, place);
  if (place.depth > deepest) {
    lose(place, '', 'nested too deeply');
    return { type: 'OBJECT' };
  }
  const result: Record<string, unknown> = {};
  const inside = (step: string): Place => ({ ...place, path: `${place.path}.${step}`, depth: place.depth + 1 });
  for (const [key, value] of Object.entries(schema)) {
    if (copied.includes(key) || countKeys.has(key)) result[key] = value;
    else if (key === 'type') convertType(value, result);
    else if (key === 'properties') {
      const entries = Object.entries(fieldsOf(value));
      result.properties = Object.fromEntries(
        entries.map(([name, each]) => [name, convert(fieldsOf(each), inside(name))]),
      );
      if (entries.length > 1) result.propertyOrdering = entries.map(([name]) => name);
    } else if (key === 'items' && isFields(value)) result.items = convert(value, inside('items'));
    else if (key === 'anyOf' || key === 'oneOf') convertAnyOf(listOf(value), result, inside(key));
    else if (key === 'enum' || key === 'const') convertEnum(key === 'enum' ? listOf(value) : [value], result);
    else if (key === 'examples') result.example = listOf(value)[0];
    else if (!['$defs', 'definitions', '$schema', '$id', 'additionalProperties', 'nullable', '$ref'].includes(key)) {
      lose(place, key, 'no place in a Gemini schema');
    }
  }
  return result;
}

function lose(place: Place, key: string, note: string): void {
  place.losses.push({ field: key === '' ? place.path : `${place.path}.${key}`, how: 'dropped', note });
}

function resolve(schema: Fields, place: Place): Fields {
  const reference = textOf(schema.$ref);
  if (reference === undefined || !reference.startsWith('#/')) return schema;
  let found: unknown = place.root;
  for (const step of reference.slice(2).split('/')) {
    found = fieldsOf(found)[step.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return isFields(found) ? { ...found, ...schema } : schema;
}

function convertType(value: unknown, result: Record<string, unknown>): void {
  const names = listOf(value).filter((each): each is string => typeof each === 'string');
  const real = names.filter((name) => name !== 'null');
  if (names.length > real.length) result.nullable = true;
  if (real.length === 1) result.type = real[0]?.toUpperCase();
  else if (real.length > 1) result.anyOf = real.map((name) => ({ type: name.toUpperCase() }));
}

function convertAnyOf(choices: readonly unknown[], result: Record<string, unknown>, place: Place): void {
  const real = choices.map(fieldsOf).filter((each) => each.type !== 'null');
  if (real.length < choices.length) result.nullable = true;
  const only = real[0];
  if (real.length === 1 && only) Object.assign(result, convert(only, place));
  else result.anyOf = real.map((each) => convert(each, place));
}

function convertEnum(values: readonly unknown[], result: Record<string, unknown>): void {
  const texts = values.filter((each) => each !== null);
  if (texts.length < values.length) result.nullable = true;
  result.enum = texts.map(String);
  if (texts.every((each) => typeof each === 'string')) result.type ??= 'STRING';
}
