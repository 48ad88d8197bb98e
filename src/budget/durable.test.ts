import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  atOnce,
  type MemoryFolder,
  manualClock,
  memoryFolder,
  quiet,
  receipt,
  still,
  target,
} from '../../test/ledger.ts';
import { beginLedger, budgets, noon } from '../../test/one-ledger.ts';
import { scanRows } from '../exchange/journal.ts';
import type { JournalRow } from '../exchange/receipt.ts';
import { Refusal } from '../exchange/refusal.ts';
import { createBudget } from './budget.ts';
import { openJournal } from './journal.ts';

const isUnavailable = (error: unknown): boolean => error instanceof Refusal && error.refusal === 'ledger_unavailable';

function begin(folder: MemoryFolder = memoryFolder()) {
  return { folder, ...beginLedger(folder, { durability: 'full' }) };
}

function rowsOf(folder: MemoryFolder, name: string): JournalRow[] {
  const rows: JournalRow[] = [];
  scanRows(folder.read(name), 0, (row) => rows.push(row));
  return rows;
}

/** Lets everything that waits for a sync run on. */
const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a hold waits for the disk, its settlement too, and one sync serves all that wait', async () => {
  const { folder, clock, budget, close, take } = begin();
  const holds = ['a', 'b', 'c'].map(take);
  const written = budget.written();
  const before = folder.syncs;
  clock.turn();
  await written;
  assert.equal(folder.syncs - before, 1);
  for (const hold of holds) close(hold, receipt(hold.id, 5));
  const settling = holds.map(() => budget.settled());
  assert.ok(settling.every((each) => each instanceof Promise));
  await Promise.all(settling);
  assert.ok(folder.syncs - before <= 3);
});

test('a settlement that is alone in its turn waits for one sync', async () => {
  const { folder, clock, budget, take } = begin();
  const hold = take('a');
  await budget.written();
  clock.turn();
  const before = folder.syncs;
  budget.close(hold, receipt('a', 5));
  await budget.settled();
  assert.equal(folder.syncs - before, 1);
});

test('a failed sync refuses its holds, admits nobody, and is followed by a new segment that says all of it again', async () => {
  const { folder, clock, budget, close, journal, take, balance } = begin();
  const paid = take('paid');
  clock.turn();
  await budget.written();
  folder.failsToSync = true;
  const refused = take('refused');
  const written = budget.written();
  clock.turn();
  await assert.rejects(written, isUnavailable);
  close(refused, receipt('refused', 0, { ending: 'refused', charges: [] }));
  assert.equal(journal.failing, true);
  assert.throws(() => take('another'), isUnavailable);

  // What is under way ends: the answer was paid for, so it is not kept from the client.
  close(paid, receipt('paid', 60));
  await budget.settled();
  const open = balance();
  assert.deepEqual(open, { held: 0, posted: 60 });

  clock.pass(1_000);
  await later();
  assert.equal(journal.failing, true, 'a second failure changes nothing');
  folder.failsToSync = false;
  clock.pass(20_000);
  await later();
  assert.equal(journal.failing, false);
  take('admitted');
  clock.turn();
  await budget.written();

  const last = folder.list().at(-1) ?? '';
  const rows = rowsOf(folder, last);
  assert.equal(rows[0]?.type, 'balances');
  assert.deepEqual(
    rows.flatMap((row) => (row.type === 'receipt' && row.receipt.cost > 0 ? [row.receipt.id] : [])),
    ['paid'],
    'the receipt that the disk may have dropped stands again, for those who read receipts',
  );
  // The segments before it are lost altogether: nothing is missing and nothing counts twice.
  const alone = memoryFolder(new Map([[last, [folder.read(last)]]]));
  assert.deepEqual(begin(alone).balance(), { held: 0, posted: 160 });
  // They are all there after all: the same.
  assert.deepEqual(begin(folder.copy()).balance(), { held: 0, posted: 160 });
  // The new head is damaged: the segments before it are read, and the repeated row is known by its id.
  const hurt = folder.copy();
  const bytes = hurt.read(last);
  bytes[20] = (bytes[20] ?? 0) ^ 1;
  hurt.truncate(last, 0);
  hurt.open(last).write(bytes);
  assert.deepEqual(begin(hurt).balance(), { held: 0, posted: 160 });
});

test('a move to another target and a top-up are synced too', async () => {
  const { folder, clock, budget, take } = begin();
  const hold = take('a');
  clock.turn();
  await budget.written();
  const before = folder.syncs;
  assert.equal(atOnce(budget.move(hold, target('other', 'big'), 120)), true);
  await budget.written();
  assert.equal(folder.syncs, before + 1);
  folder.failsToSync = true;
  assert.equal(atOnce(budget.topUp(hold, 10)), true);
  await assert.rejects(budget.written(), isUnavailable);
  assert.equal(atOnce(budget.topUp(hold, 10)), false, 'no money moves while the disk is not known to take it');
});

test('the page cache alone waits for nothing', () => {
  const clock = manualClock(noon);
  const folder = memoryFolder();
  const budget = createBudget({ clock, log: quiet }, openJournal(folder, clock), { live: still(budgets) });
  assert.equal(budget.settled(), undefined);
  assert.equal(folder.syncs, 0);
});

test('at the end what the disk does not take is said', async () => {
  const told: string[] = [];
  const folder = memoryFolder();
  const clock = manualClock(noon);
  const log = { ...quiet, error: (event: string) => void told.push(event) };
  const journal = openJournal(folder, clock, { durability: 'full', log });
  createBudget({ clock, log }, journal, { live: still(budgets) });
  folder.failsToSync = true;
  await journal.close();
  assert.deepEqual([...new Set(told)], ['journal_sync_failed']);
});
