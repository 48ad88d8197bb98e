// Which counts of a provider are taken for a bill: a table.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noUsage, type Usage } from '../exchange/usage.ts';
import { believable, countsSomething, isPlaceholder, possible } from './believable.ts';

interface Verdict {
  readonly possible: boolean;
  readonly placeholder: boolean;
  readonly counts: boolean;
  readonly believable: boolean;
}

const bill: Verdict = { possible: true, placeholder: false, counts: true, believable: true };
const lie: Verdict = { possible: false, placeholder: false, counts: false, believable: false };

const cases: readonly (readonly [string, Partial<Usage>, number, Verdict])[] = [
  ['an ordinary bill', { input: 9, output: 400 }, 1600, bill],
  ['an answer of nothing', { input: 9 }, 0, bill],
  ['nothing for nothing', {}, 0, { ...bill, counts: false }],
  ['nothing for something', {}, 100, { ...bill, counts: false, believable: false }],
  ['a placeholder', { input: 9, output: 1 }, 4000, { ...bill, placeholder: true, believable: false }],
  ['few tokens for what tools showed', { input: 9, output: 32 }, 100_000, bill],
  ['pictures', { images: 4 }, 40_000, bill],
  ['a thousand million tokens', { input: 1e9 }, 4000, { ...lie, placeholder: true }],
  ['a thousand million searches', { input: 9, output: 5, webSearches: 1e9 }, 100, lie],
  ['a thousand million pictures', { images: 1e9 }, 0, lie],
  ['a thousand million of a name nobody knows', { output: 5, unknown: { moon: 1e9 } }, 20, lie],
];
for (const [what, told, characters, wanted] of cases)
  test(`${what}, with ${characters} characters`, () => {
    const usage = { ...noUsage(), ...told };
    assert.deepEqual(
      {
        possible: possible(usage),
        placeholder: isPlaceholder(usage, characters),
        counts: countsSomething(usage),
        believable: believable(usage, characters),
      },
      wanted,
    );
  });
