// Verdicts and the figures table: what counts as met, and what is never judged.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { median, seeded, spread } from '../../bench/plan.ts';
import { judge, markdownTable, type Row, writeFigures } from '../../bench/report.ts';

const row: Row = { what: 'x', unit: 'ms', value: 10, bound: 10, notes: '' };

const verdicts: readonly (readonly [Partial<Row>, string])[] = [
  [{}, 'met'],
  [{ value: -1 }, 'met'],
  [{ value: 10.1 }, 'within 1.5×'],
  [{ value: 15 }, 'within 1.5×'],
  [{ value: 15.1 }, 'missed'],
  [{ value: Number.NaN }, 'failed'],
  [{ value: 1, errors: '3 × status 503' }, 'failed'],
];

for (const [change, verdict] of verdicts)
  test(`${JSON.stringify(change)} is ${verdict}`, () => assert.equal(judge({ ...row, ...change }).verdict, verdict));

test('a figure without a goal has no verdict', () => {
  assert.equal(judge({ what: 'x', unit: 'ms', value: 10, notes: '' }).verdict, '');
});

test('an absolute figure is also told at the speed of the machine of the goals, where a row tells how fast that is', () => {
  const line = (rows: readonly Row[], place: number): string[] =>
    (markdownTable(rows).split('\n')[2 + place] ?? '').split(' | ').slice(3, 5);
  const absolute: Row = { ...row, value: 30, absolute: true };
  const yardstick: Row = { ...row, what: 'yardstick', slower: 2 };
  assert.deepEqual(line([absolute, row, yardstick], 0), ['3.00', '1.50']);
  assert.deepEqual(line([absolute, row, yardstick], 1), ['1.00', ''], 'a ratio needs no such help');
  assert.deepEqual(line([absolute], 0), ['3.00', ''], 'nothing tells the speed');
  assert.deepEqual(line([{ ...absolute, errors: '1 × reset' }, yardstick], 0), ['', ''], 'a failed row has no figure');
  assert.deepEqual(
    line([{ ...absolute, there: 12 }, yardstick], 0),
    ['3.00', '1.20'],
    'what was measured at that speed',
  );
  assert.equal(judge(absolute, 2).verdict, 'within 1.5×', 'a goal is judged at the speed of its own machine');
  assert.equal(judge(absolute).verdict, 'missed', 'nothing tells the speed');
  assert.equal(judge(row, 2).verdict, judge(row).verdict, 'a ratio is one at any speed');
});

test('medians and percentiles', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  const hundred = Float64Array.from({ length: 100 }, (_, place) => 100 - place);
  assert.deepEqual(spread(hundred), { count: 100, p50: 50, p99: 99, max: 100 });
});

test('the same seed gives the same sequence', () => {
  const [one, other] = [seeded(7), seeded(7)];
  for (let step = 0; step < 100; step++) {
    const value = one();
    assert.equal(value, other());
    assert.ok(value >= 0 && value < 1);
  }
});

test('figures replace what stands between the markers, and nothing else', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-report-'));
  try {
    const file = join(folder, 'README.md');
    writeFileSync(file, readFileSync(join(import.meta.dirname, '..', '..', 'bench', 'README.md')));
    writeFigures(file, markdownTable([row]));
    const once = readFileSync(file, 'utf8');
    assert.match(once, /\| x \| 10\.0 ms \| ≤ 10\.0 ms \| 1\.00 \| {2}\| met \|/);
    writeFigures(file, markdownTable([row]));
    assert.equal(readFileSync(file, 'utf8'), once);
    writeFileSync(file, 'no markers');
    assert.throws(() => writeFigures(file, 'x'), /no figures markers/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
