import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  atOnce,
  caller,
  closing,
  type MemoryFolder,
  manualClock,
  memoryFolder,
  quiet,
  receipt,
  rule,
  still,
  target,
} from '../../test/ledger.ts';
import type { Hold } from '../exchange/hold.ts';
import { encodeRow, scanRows } from '../exchange/journal.ts';
import type { CorrectionRow, JournalRow } from '../exchange/receipt.ts';
import { createBudget } from './budget.ts';
import { openJournal } from './journal.ts';

const noon = Date.parse('2026-03-05T12:00:00Z');
const today = 'day/UTC/2026-03-05T00:00Z';
const budgets = [
  rule('global', 1_000_000),
  rule('key:*', 1_000_000, 'month'),
  rule('provider:*', 1_000_000, 'lifetime'),
];

function begin(folder: MemoryFolder, segmentBytes = 1e9, now = noon) {
  const clock = manualClock(now);
  const journal = openJournal(folder, clock, { segmentBytes });
  const budget = createBudget({ clock, log: quiet }, journal, { live: still(budgets) });
  const take = (id: string, provider = 'one', amount = 100): Hold => {
    const wants = { id, caller: caller('k1'), target: target(provider, 'm'), amount, minimum: 1, budgets, extra: [] };
    const hold = atOnce(budget.hold(wants));
    clock.turn();
    return hold;
  };
  const posted = () =>
    Object.fromEntries(budget.standing().accounts.map((each) => [`${each.scope} ${each.window}`, each.posted]));
  return { clock, journal, budget, take, close: closing(budget, clock), posted };
}

function correction(id: string, amount: number, more: Partial<CorrectionRow> = {}): CorrectionRow {
  const accounts = [{ scope: 'global', window: today }];
  const of = { day: '2026-03-05', provider: 'one', model: 'm', reason: 'a bill' };
  return { type: 'correction', id, at: noon, amount, accounts, ...of, ...more };
}

/** One row of every type, and of every kind within it. */
function history(folder: MemoryFolder): void {
  const small = begin(folder, 900);
  small.close(small.take('before'), receipt('before', 40));
  assert.equal(folder.list().length, 2, 'the rows that count stand behind a head that carries balances');
  const { clock, budget, close, take } = begin(folder);
  const raised = take('raised');
  const moved = take('moved');
  assert.equal(atOnce(budget.topUp(raised, 10)), true);
  assert.equal(atOnce(budget.topUp(raised, 20)), true);
  assert.equal(atOnce(budget.move(moved, target('two', 'm'), 170)), true);
  assert.equal(atOnce(budget.move(moved, target('one', 'm'), 90)), true);
  budget.correct(correction('c1', -15));
  close(raised, receipt('raised', 77));
  const charges = [receipt('x', 30, { provider: 'two' }).charges, receipt('x', 12, { provider: 'one' }).charges].flat();
  close(moved, receipt('moved', 42, { charges }));
  close(undefined, receipt('refused', 0, { charges: [] }));
  take('crashed', 'two', 33);
  const last = take('crashed too');
  for (const amount of [5, 7]) assert.equal(atOnce(budget.topUp(last, amount)), true);
  clock.turn();
}

test('D3: inserting any ledger row a second time, anywhere behind the first, changes sums by 0', () => {
  const folder = memoryFolder();
  history(folder);
  const rows: JournalRow[] = [];
  scanRows(folder.read(folder.list().at(-1) ?? ''), 0, (row) => rows.push(row));
  const sums = (list: readonly JournalRow[]) =>
    begin(memoryFolder(new Map([['000000000001.journal', list.map(encodeRow)]]))).posted();
  const right = sums(rows);
  assert.ok(Object.keys(right).length >= 4);
  const types = new Set<string>();
  for (const [index, row] of rows.entries()) {
    types.add(row.type);
    for (let at = index + 1; at <= rows.length; at++)
      assert.deepEqual(sums(rows.toSpliced(at, 0, row)), right, `${row.type} ${index} again at ${at}`);
  }
  assert.deepEqual([...types].sort(), ['adjust', 'balances', 'correction', 'hold', 'receipt']);
});

test('a correction is posted once, over a restart, and after its own row is compacted away', () => {
  const folder = memoryFolder();
  const first = begin(folder, 2000);
  first.close(first.take('a'), receipt('a', 60));
  assert.equal(first.budget.correct(correction('c', 25)), true);
  assert.equal(first.budget.correct(correction('c', 25)), false);
  assert.equal(first.posted()[`global ${today}`], 85);
  for (let index = 0; index < 30; index++) first.close(first.take(`e${index}`), receipt(`e${index}`, 1));
  const last = folder.list().at(-1) ?? '';
  assert.ok(folder.list().length > 3);
  const next = begin(memoryFolder(new Map([[last, [folder.read(last)]]])));
  assert.equal(next.budget.correct(correction('c', 25)), false);
  assert.equal(next.posted()[`global ${today}`], 115);
  // The day is over, so it can change nothing any more, and its id is not carried on for ever.
  next.clock.pass(86_400_000);
  assert.equal(next.budget.correct(correction('late', 25)), true);
  assert.equal(next.posted()[`global ${today}`], undefined);
});

test('a correction takes no more off an account than was posted to it, and says in its row what it took', () => {
  const folder = memoryFolder();
  const { budget, close, take, posted } = begin(folder);
  close(take('a'), receipt('a', 60));
  const accounts = [
    { scope: 'global', window: today, amount: -1000 },
    { scope: 'key:k1', window: 'month/UTC/2026-03-01T00:00Z' },
    { scope: 'key:k1', window: 'month/UTC/2026-02-01T00:00Z' },
    { scope: 'nobody', window: 'nonsense' },
  ];
  budget.correct(correction('c', -10, { accounts }));
  const written: JournalRow[] = [];
  scanRows(folder.read(folder.list()[0] ?? ''), 0, (row) => written.push(row));
  const row = written.find((each) => each.type === 'correction');
  assert.deepEqual(row?.accounts, [
    { scope: 'global', window: today, amount: -60 },
    { scope: 'key:k1', window: 'month/UTC/2026-03-01T00:00Z', amount: -10 },
    { scope: 'key:k1', window: 'month/UTC/2026-02-01T00:00Z', amount: 0 },
    { scope: 'nobody', window: 'nonsense', amount: 0 },
  ]);
  const after = posted();
  assert.deepEqual([after[`global ${today}`], after['key:k1 month/UTC/2026-03-01T00:00Z']], [undefined, 50]);
  assert.deepEqual(begin(folder.copy()).posted(), after);
});

test('a correction that cannot be written changes nothing and can be tried again', () => {
  const folder = memoryFolder();
  const { budget, close, take, posted } = begin(folder);
  close(take('a'), receipt('a', 60));
  folder.full = true;
  assert.throws(() => budget.correct(correction('c', 5)), /cannot write its ledger/);
  assert.equal(posted()[`global ${today}`], 60);
  folder.full = false;
  assert.equal(budget.correct(correction('c', 5)), true);
  assert.equal(posted()[`global ${today}`], 65);
});
