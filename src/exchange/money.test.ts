import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatUsd, parseUsd } from './money.ts';

const readings: readonly [string | number, number | undefined][] = [
  ['20 USD', 20_000_000_000],
  ['0.01 USD', 10_000_000],
  ['$5', 5_000_000_000],
  [2.5, 2_500_000_000],
  [1e-7, 100],
  ['0.000000001', 1],
  ['0.0000000001', undefined],
  ['-1', undefined],
  ['20 EUR', undefined],
  ['9007199.254740991', Number.MAX_SAFE_INTEGER],
  ['9007199.254740992', undefined],
  ['', undefined],
  [Number.NaN, undefined],
];

for (const [text, nano] of readings) {
  test(`parseUsd(${JSON.stringify(text)}) is ${nano}`, () => assert.equal(parseUsd(text), nano));
}

test('every amount survives formatting and reading', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (nano) => {
      assert.equal(parseUsd(formatUsd(nano)), nano);
    }),
    { seed: 1 },
  );
});

test('formatUsd writes no exponent and no rounding', () => {
  assert.equal(formatUsd(1), '0.000000001');
  assert.equal(formatUsd(-123_000), '-0.000123');
  assert.equal(formatUsd(5_000_000_000), '5');
});
