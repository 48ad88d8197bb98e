import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReceiptRow } from '../src/exchange/receipt.ts';
import { conservation, type Evidence, endings, holdsClosedOnce, oneReceiptEach } from './check.ts';
import { simulate } from './simulate.ts';

test('forty seeds keep every invariant, and each gives the same run twice', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const one = await simulate(seed);
    assert.deepEqual(one.problems, [], `seed ${seed}`);
    const two = await simulate(seed);
    assert.equal(two.trace, one.trace, `seed ${seed} ran differently the second time`);
  }
});

test('the worlds reach every ending but a crash, which needs a new process', async () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 40; seed++)
    for (const ending of Object.keys((await simulate(seed)).endings)) seen.add(ending);
  for (const ending of ['completed', 'cancelled', 'cut', 'killed', 'refused', 'failed', 'timed-out'])
    assert.ok(seen.has(ending), ending);
});

/** Each checker against one thing that it must not let pass. */
const mutations: readonly [string, (evidence: Evidence) => string[], (evidence: Evidence) => Evidence][] = [
  ['a receipt lost', oneReceiptEach, (evidence) => ({ ...evidence, rows: withoutFirst(evidence, 'receipt') })],
  [
    'a receipt twice',
    oneReceiptEach,
    (evidence) => ({ ...evidence, rows: [...evidence.rows, ...evidence.rows.slice(-1)] }),
  ],
  ['an attempt charged twice', oneReceiptEach, (evidence) => ({ ...evidence, rows: evidence.rows.map(chargedTwice) })],
  ['a hold left open', holdsClosedOnce, (evidence) => ({ ...evidence, rows: withoutFirst(evidence, 'receipt', true) })],
  ['a hold that nobody took', holdsClosedOnce, (evidence) => ({ ...evidence, rows: withoutFirst(evidence, 'hold') })],
  ['held at rest', holdsClosedOnce, (evidence) => ({ ...evidence, openHolds: 1 })],
  [
    'a nano-dollar lost',
    conservation,
    (evidence) => ({ ...evidence, balances: evidence.balances.map((each) => ({ ...each, posted: each.posted - 1 })) }),
  ],
  [
    'metrics that count otherwise',
    conservation,
    (evidence) => ({ ...evidence, metrics: evidence.metrics.replace(/^llm_proxy_cost_total.*\n/m, '') }),
  ],
  [
    'a broken stream that looks whole',
    endings,
    (evidence) => ({
      ...evidence,
      rows: evidence.rows.map((row) =>
        row.type === 'receipt' ? { ...row, receipt: { ...row.receipt, ending: 'failed' as const } } : row,
      ),
    }),
  ],
];

for (const [name, checker, mutate] of mutations)
  test(`the checkers see ${name}`, async () => {
    const { evidence } = await simulate(3);
    assert.deepEqual(checker(evidence), []);
    assert.notDeepEqual(checker(mutate(evidence)), []);
  });

/** Leaves out the first receipt, or one half of an exchange that cost something. */
function withoutFirst({ rows }: Evidence, type: 'receipt' | 'hold', charged = type === 'hold'): Evidence['rows'] {
  const paid = rows.find((row) => row.type === 'receipt' && row.receipt.cost > 0) as ReceiptRow;
  const first = rows.findIndex((row) =>
    row.type === 'receipt'
      ? type === 'receipt' && (!charged || row === paid)
      : row.type === type && row.id === paid.receipt.id,
  );
  return rows.filter((_, index) => index !== first);
}

function chargedTwice(row: Evidence['rows'][number]): Evidence['rows'][number] {
  if (row.type !== 'receipt' || row.receipt.charges.length === 0) return row;
  const charges = [...row.receipt.charges, ...row.receipt.charges];
  return { ...row, receipt: { ...row.receipt, charges } } satisfies ReceiptRow;
}
