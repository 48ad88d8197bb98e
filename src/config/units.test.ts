import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  parseAddress,
  parseBytes,
  parseDuration,
  parseInstant,
  parseShare,
  picoPerPiece,
  picoPerToken,
} from './units.ts';

test('sizes carry their unit', () => {
  assert.deepEqual(['64MB', '1 GiB', '2KB', '64', '64mb', '1.5MB', '0MB', ''].map(parseBytes), [
    64_000_000,
    1_073_741_824,
    2000,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test('durations carry their unit', () => {
  const table: [string, number | undefined][] = [
    ['30s', 30_000],
    ['2m', 120_000],
    ['500ms', 500],
    ['1.5s', 1500],
    ['1 h', 3_600_000],
    ['30', undefined],
    ['0s', undefined],
    ['-1s', undefined],
    ['0.0001s', undefined],
    ['1w', undefined],
  ];
  for (const [text, expected] of table) assert.equal(parseDuration(text), expected, text);
});

test('prices are exact or refused', () => {
  const table: [number, number | undefined][] = [
    [2.5, 2_500_000],
    [0.29, 290_000],
    [0.000001, 1],
    [1e-7, undefined],
    [75, 75_000_000],
    [0, 0],
    [-1, undefined],
    [Number.NaN, undefined],
    [1e15, undefined],
  ];
  for (const [usd, expected] of table) assert.equal(picoPerToken(usd), expected, String(usd));
  assert.equal(picoPerPiece(0.01), 10_000_000_000);
  assert.equal(picoPerPiece(1e-12), 1);
});

test('a price written with up to six decimals is that integer', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2_000_000_000 }), (pico) => {
      const text = `${Math.floor(pico / 1e6)}.${String(pico % 1e6).padStart(6, '0')}`;
      assert.equal(picoPerToken(Number(text)), pico);
    }),
    { seed: 7, numRuns: 500 },
  );
});

test('shares, days, addresses', () => {
  assert.equal(parseShare('80%'), 0.8);
  assert.equal(parseShare(0.5), 0.5);
  assert.equal(parseShare('150%'), undefined);
  assert.equal(parseInstant('2026-01-01'), Date.UTC(2026, 0, 1));
  assert.equal(parseInstant('2026-02-30'), undefined);
  assert.equal(parseInstant('2026-01-01T10:00:00+02:00'), Date.UTC(2026, 0, 1, 8));
  assert.equal(parseInstant('yesterday'), undefined);
  assert.deepEqual(parseAddress('0.0.0.0:80'), { host: '0.0.0.0', port: 80 });
  assert.deepEqual(parseAddress('[::1]:80'), { host: '::1', port: 80 });
  assert.deepEqual(parseAddress(':80'), { host: '127.0.0.1', port: 80 });
  assert.equal(parseAddress('host'), undefined);
  assert.equal(parseAddress('h:99999'), undefined);
});
