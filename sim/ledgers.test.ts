import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JournalRow } from '../src/exchange/receipt.ts';
import { checkLedgers, conserved, eachClosedOnce, inTheirWindows, withinLimits } from './check-ledgers.ts';
import { type LedgersEvidence, ledgersWorld } from './ledgers.ts';
import { roughOptions } from './rough.ts';

test('several instances over one bank: crashes, lost answers, recalls and window edges keep every nano-dollar', async () => {
  let admitted = 0;
  const refused = new Set<string>();
  for (let seed = 1; seed <= 25; seed++) {
    const evidence = await ledgersWorld(seed, roughOptions(seed));
    assert.deepEqual(checkLedgers(evidence), [], `seed ${seed}`);
    admitted += evidence.admitted;
    for (const code of evidence.refused.keys()) refused.add(code);
  }
  assert.ok(admitted > 2_000, `only ${admitted} were admitted: the worlds show nothing`);
  assert.ok(refused.has('budget_exceeded') && refused.has('budget_unavailable'), [...refused].join());
});

test('the same seed gives the same run', async () => {
  const run = async (): Promise<string> => {
    const { instances, refused } = await ledgersWorld(7, roughOptions(7));
    return JSON.stringify([instances.map(({ rows }) => rows), [...refused]]);
  };
  assert.equal(await run(), await run());
});

/** Each checker against one thing that it must not let pass. */
const mutations: readonly [
  string,
  (evidence: LedgersEvidence) => string[],
  (evidence: LedgersEvidence) => LedgersEvidence,
][] = [
  ['a hold that is never closed', eachClosedOnce, (evidence) => withRows(evidence, (rows) => without(rows, 'receipt'))],
  ['a receipt that is lost', conserved, (evidence) => withRows(evidence, (rows) => without(rows, 'receipt'))],
  [
    'a nano-dollar too many',
    conserved,
    (evidence) =>
      withRows(evidence, (rows) =>
        rows.map((row) =>
          row.type === 'receipt' ? { ...row, receipt: { ...row.receipt, cost: row.receipt.cost + 1 } } : row,
        ),
      ),
  ],
  [
    'a limit that is passed',
    withinLimits,
    (evidence) => ({ ...evidence, limitsMax: evidence.limitsMax.map((limit) => Math.floor(limit / 100)) }),
  ],
  [
    'a request charged to another window',
    inTheirWindows,
    (evidence) => ({
      ...evidence,
      takenAt: new Map([...evidence.takenAt].map(([id, at]) => [id, at + 120_000])),
    }),
  ],
];

for (const [name, checker, mutate] of mutations)
  test(`the checkers of ledgers see ${name}`, async () => {
    const evidence = await ledgersWorld(3, roughOptions(3));
    assert.deepEqual(checker(evidence), []);
    assert.notDeepEqual(checker(mutate(evidence)), []);
  });

function withRows(
  evidence: LedgersEvidence,
  change: (rows: readonly JournalRow[]) => readonly JournalRow[],
): LedgersEvidence {
  return { ...evidence, instances: evidence.instances.map((each) => ({ ...each, rows: change(each.rows) })) };
}

/** Leaves out the last one, whose windows are still open. */
function without(rows: readonly JournalRow[], type: JournalRow['type']): JournalRow[] {
  const last = rows.findLastIndex((row) => row.type === type && (row.type !== 'receipt' || row.receipt.cost > 0));
  return rows.filter((_, index) => index !== last);
}
