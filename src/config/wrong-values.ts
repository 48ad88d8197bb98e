// What a schema refuses, in our words: of a file, of a body, of a feed. A schema's own messages stay.

import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

export interface Wrong {
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** Present where the last step of the path is a key that nobody knows. */
  readonly unknownKey?: string;
}

/** The typed value, or everything that is wrong with it. */
export function readValue<T>(
  schema: z.ZodType<T>,
  value: unknown,
):
  | { readonly data: T; readonly wrongs?: undefined }
  | { readonly data?: undefined; readonly wrongs: readonly [Wrong, ...Wrong[]] } {
  const parsed = schema.safeParse(value, { error: messageOf });
  if (parsed.success) return { data: parsed.data };
  const [first = { path: [], message: 'is not valid' }, ...rest] = parsed.error.issues.flatMap((issue) =>
    wrongsOf(issue, []),
  );
  return { wrongs: [first, ...rest] };
}

function wrongsOf(issue: Issue, parent: Wrong['path']): Wrong[] {
  const path = [...parent, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: [...path, key], message: 'is not a known field', unknownKey: key }));
  const meant = issue.code === 'invalid_union' ? meantBranch(issue.errors) : undefined;
  return meant?.flatMap((inner) => wrongsOf(inner, path)) ?? [{ path, message: issue.message }];
}

/** Of a union, the branch whose kind fits is the one that was meant. */
function meantBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  return branches.find((branch) => !branch.some((inner) => inner.code === 'invalid_type' && inner.path.length === 0));
}

function messageOf(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be ${article(issue.expected)}`;
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return sizeOf(issue.origin, issue.inclusive ? 'at least' : 'more than', Number(issue.minimum));
    case 'too_big':
      return sizeOf(issue.origin, issue.inclusive ? 'at most' : 'less than', Number(issue.maximum));
    case 'invalid_format':
      return formats[issue.format] ?? 'has not the form that is wanted here';
    case 'invalid_key':
      return issue.issues[0]?.message ?? 'is no name that fits here';
    case 'invalid_union':
      return kindsOf(issue.errors);
    default:
      return 'is not valid';
  }
}

const kinds: Readonly<Record<string, string>> = {
  record: 'a mapping of names',
  object: 'a mapping of keys',
  array: 'a list',
  int: 'a whole number',
  boolean: 'true or false',
};

function article(expected: string): string {
  return kinds[expected] ?? `a ${expected}`;
}

const formats: Readonly<Record<string, string>> = { datetime: 'must be an instant such as 2026-12-31T00:00:00Z' };

/** What a size is counted in. */
const parts: Readonly<Record<string, readonly [one: string, many: string]>> = {
  string: ['character', 'characters'],
  array: ['entry', 'entries'],
};

function sizeOf(origin: string, bound: string, count: number): string {
  const names = parts[origin];
  if (!names) return `must be ${bound} ${count}`;
  if (bound === 'at least' && count === 1) return 'must not be empty';
  return `must have ${bound} ${count} ${names[count === 1 ? 0 : 1]}`;
}

/** Of a union none of whose kinds fits: all of them. */
function kindsOf(branches: readonly (readonly Issue[])[]): string {
  const expected = branches.flat().flatMap((inner) => (inner.code === 'invalid_type' ? [article(inner.expected)] : []));
  return expected.length > 0 ? `must be ${[...new Set(expected)].join(' or ')}` : 'is missing or has the wrong kind';
}
