// The types a format's fields have. What is of another would vanish on a crossing: it is refused before the call. Where
// nothing crosses, that is the provider's to judge.

import type { Loss } from '../exchange/prompt.ts';
import type { Refusal } from '../exchange/refusal.ts';
import { isObject, type Json } from './json.ts';

/** How a format says no: `wants` follows "must be". */
export type Wrong = (path: string, wants: string) => Refusal;

/** A type as one format has it. Null is absence in all of them, but not inside an array. */
export interface Kind {
  readonly wants: string;
  accepts(value: unknown): boolean;
  /** Judges what is inside a value that was accepted. */
  enter?(value: unknown, path: string, wrong: Wrong): void;
}

export const string: Kind = { wants: 'a string', accepts: (value) => typeof value === 'string' };
export const boolean: Kind = { wants: 'a boolean', accepts: (value) => typeof value === 'boolean' };
/** JSON has no infinity, but a number that is too large is read as one. */
export const number: Kind = { wants: 'a number', accepts: Number.isFinite };
/** An object that is carried whole, as schemas are. */
export const object: Kind = { wants: 'an object', accepts: isObject };

export function array(each: Kind): Kind {
  return {
    wants: 'an array',
    accepts: Array.isArray,
    enter: (value, path, wrong) => {
      for (const [index, member] of (value as readonly unknown[]).entries()) {
        expect(member, each, `${path}[${index}]`, wrong);
      }
    },
  };
}

/** An object's fields by name; those without a kind are not judged. `named` is the name by which a key is looked up. */
export function fields(kinds: Readonly<Record<string, Kind>>, named = (key: string): string => key): Kind {
  const known = new Map(Object.entries(kinds));
  return {
    ...object,
    enter: (value, path, wrong) => {
      // Half the time of `Object.entries`: 0.3 µs a message in all.
      for (const key in value as Json) {
        const member = (value as Json)[key];
        const kind = member === null || member === undefined ? undefined : known.get(named(key));
        if (kind) expect(member, kind, path === '' ? key : `${path}.${key}`, wrong);
      }
    },
  };
}

/** Objects whose `type` says which fields they have; those of another type are not judged. */
export function tagged(kinds: Readonly<Record<string, Kind>>): Kind {
  const known = new Map(Object.entries(kinds));
  return {
    ...object,
    enter: (value, path, wrong) => known.get(String((value as Json).type))?.enter?.(value, path, wrong),
  };
}

/** The first of them that accepts a value judges what is inside it. */
export function either(...kinds: readonly Kind[]): Kind {
  const words = kinds.map((kind) => kind.wants);
  return {
    wants: `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`,
    accepts: (value) => kinds.some((kind) => kind.accepts(value)),
    enter: (value, path, wrong) => kinds.find((kind) => kind.accepts(value))?.enter?.(value, path, wrong),
  };
}

/** An object that may hold others of its kind. */
export function nested(kind: () => Kind): Kind {
  return { ...object, enter: (value, path, wrong) => kind().enter?.(value, path, wrong) };
}

/** Throws what `wrong` makes of the first value that is not of its kind. */
export function expect(value: unknown, kind: Kind, path: string, wrong: Wrong): void {
  if (!kind.accepts(value)) throw wrong(path, kind.wants);
  kind.enter?.(value, path, wrong);
}

/** A word that the format has; any other is lost, and told. */
export function oneOf<Word extends string>(
  words: readonly Word[],
  value: unknown,
  field: string,
  losses: Loss[],
): Word | undefined {
  if (value === undefined || value === null) return undefined;
  const found = words.find((word) => word === value);
  if (found === undefined) losses.push({ field, how: 'dropped', note: 'not understood' });
  return found;
}
