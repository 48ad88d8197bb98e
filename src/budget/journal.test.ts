import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  atOnce,
  type MemoryFolder,
  manualClock,
  memoryFolder,
  quiet,
  receipt,
  rule,
  still,
} from '../../test/ledger.ts';
import { beginLedger, budgets, noon, small } from '../../test/one-ledger.ts';
import { scanRows } from '../exchange/journal.ts';
import type { JournalRow, Receipt } from '../exchange/receipt.ts';
import { Refusal } from '../exchange/refusal.ts';
import { openAppend, openSegments } from '../world/real/segments.ts';
import type { SegmentFolder } from '../world/world.ts';
import { createBudget } from './budget.ts';
import { type JournalOptions, openJournal } from './journal.ts';

const begin = (folder: SegmentFolder = memoryFolder(), options: JournalOptions = {}) => beginLedger(folder, options);

function rowsOf(folder: SegmentFolder): JournalRow[] {
  const rows: JournalRow[] = [];
  for (const name of folder.list()) scanRows(folder.read(name), 0, (row) => rows.push(row));
  return rows;
}

function receiptsOf(folder: SegmentFolder): Receipt[] {
  return rowsOf(folder).flatMap((row) => (row.type === 'receipt' ? [row.receipt] : []));
}

function temporary(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-journal-'));
  context.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

const isUnavailable = (error: unknown): boolean => error instanceof Refusal && error.refusal === 'ledger_unavailable';

test('the holds of one turn are one write, and wait for it', async () => {
  const folder = memoryFolder();
  const { clock, budget, take } = begin(folder);
  const before = folder.writes;
  for (const id of ['a', 'b', 'c']) take(id);
  const written = budget.written();
  assert.equal(folder.writes, before);
  clock.turn();
  await written;
  assert.equal(folder.writes, before + 1);
  assert.deepEqual(
    rowsOf(folder).map(({ type }) => type),
    ['balances', 'hold', 'hold', 'hold'],
  );
});

test('the few rows of a turn are written as soon as somebody waits; behind a busy turn, at the end of their own', async () => {
  const folder = memoryFolder();
  const { clock, budget, take } = begin(folder);
  const types = () => rowsOf(folder).map(({ type }) => type);
  const hold = take('alone');
  await budget.written();
  assert.deepEqual(types(), ['balances', 'hold']);
  budget.close(hold, receipt('alone', 60));
  assert.equal(budget.settled(), undefined, 'nothing is left to wait for');
  assert.deepEqual(types(), ['balances', 'hold', 'receipt']);
  clock.turn();
  for (const id of ['a', 'b', 'c']) take(id);
  void budget.written();
  clock.turn();
  take('behind');
  const written = budget.written();
  assert.equal(types().length, 6);
  clock.turn();
  await written;
  assert.equal(types().length, 7);
});

test('a settlement is in the file at the end of the turn, behind its hold', () => {
  const folder = memoryFolder();
  const { close, take } = begin(folder);
  close(take('a'), receipt('a', 60));
  assert.deepEqual(
    rowsOf(folder).map(({ type }) => type),
    ['balances', 'hold', 'receipt'],
  );
});

test('settlements and holds of one turn are one write, and what waits for a settlement goes on behind it', async () => {
  const folder = memoryFolder();
  const { clock, budget, take } = begin(folder);
  const taken = ['a', 'b', 'c'].map((id) => take(id));
  clock.turn();
  const before = folder.writes;
  for (const hold of taken) budget.close(hold, receipt(hold.id, 60));
  take('d');
  let left = 0;
  const settling = taken.map(() => budget.settled()?.then(() => left++));
  assert.equal(settling.includes(undefined), false);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([folder.writes - before, left], [0, 0], 'nothing is written, so nothing has left');
  clock.turn();
  await Promise.all(settling);
  assert.deepEqual([folder.writes - before, left], [1, 3]);
  assert.deepEqual(
    rowsOf(folder).map(({ type }) => type),
    ['balances', 'hold', 'hold', 'hold', 'receipt', 'receipt', 'receipt', 'hold'],
  );
  assert.equal(budget.settled(), undefined);
});

test('a full disk lets an answer that was paid for leave, once its settlement is kept', async () => {
  const folder = memoryFolder();
  const { clock, budget, take } = begin(folder);
  const paid = take('paid');
  clock.turn();
  folder.full = true;
  budget.close(paid, receipt('paid', 60));
  const late = take('late');
  const written = budget.written();
  const settling = budget.settled();
  clock.turn();
  await settling;
  await assert.rejects(written, isUnavailable);
  assert.throws(() => take('another'), isUnavailable);
  assert.equal(late.amount, 100);
  folder.full = false;
  clock.pass(1000);
  assert.deepEqual(
    receiptsOf(folder).map(({ id }) => id),
    ['paid'],
  );
});

test('a full disk refuses the hold, keeps the settlement, and admits again once it is written', async () => {
  const folder = memoryFolder();
  const { clock, budget, close, take, balance } = begin(folder);
  const early = take('early');
  clock.turn();
  const raised = take('raised');
  clock.turn();
  folder.full = true;
  const late = take('late');
  const written = budget.written();
  clock.turn();
  await assert.rejects(written, isUnavailable);
  assert.equal(budget.topUp(raised, 5), false);
  assert.equal(budget.move(raised, small, 500), false);
  assert.equal(raised.amount, 100);
  close(early, receipt('early', 60));
  assert.throws(() => take('another'), isUnavailable);
  close(late, receipt('late', 0, { ending: 'refused', charges: [] }));
  assert.equal(budget.settled(), undefined, 'nothing to wait for');
  assert.deepEqual(balance(), { held: 100, posted: 60 });
  clock.pass(1000);
  assert.throws(() => take('another'), isUnavailable);
  folder.full = false;
  clock.pass(1000);
  await budget.settled();
  take('another');
  assert.deepEqual(
    receiptsOf(folder).map(({ id }) => id),
    ['early', 'late'],
  );
  assert.deepEqual(
    begin((folder as MemoryFolder).copy()).balance(),
    { held: 0, posted: 160 },
    'what was raised crashed',
  );
});

test('refusals without end while the disk is full take bounded memory', () => {
  const folder = memoryFolder();
  const { clock, close } = begin(folder);
  folder.full = true;
  for (let index = 0; index < 12_000; index++) close(undefined, receipt(`${index}`, 0, { charges: [] }));
  folder.full = false;
  clock.pass(1000);
  assert.equal(receiptsOf(folder).length, 10_000);
});

test('what a dead process left open is posted at the full held amount, estimated, once', () => {
  const folder = memoryFolder();
  const { clock, budget, take } = begin(folder);
  take('a', 70);
  const raised = take('b', 20);
  clock.turn();
  assert.equal(atOnce(budget.topUp(raised, 13)), true);
  const next = begin(folder.copy());
  assert.deepEqual(next.balance(), { held: 0, posted: 103 });
  const copy = folder.copy();
  begin(copy);
  assert.deepEqual(begin(copy).balance(), { held: 0, posted: 103 }, 'a second start changes nothing');
  assert.deepEqual(
    receiptsOf(copy).map(({ id, ending, cost, estimated, charges }) => [
      id,
      ending,
      cost,
      estimated,
      charges[0]?.estimated,
    ]),
    [
      ['a', 'crashed', 70, true, 'held-amount'],
      ['b', 'crashed', 33, true, 'held-amount'],
    ],
  );
});

test('a start reads the last segment only, and knows all', () => {
  const folder = memoryFolder();
  const { clock, close, take, balance } = begin(folder, { segmentBytes: 4000 });
  const open = take('open', 7);
  for (let index = 0; index < 50; index++) {
    close(take(`e${index}`), receipt(`e${index}`, 10));
    clock.turn();
  }
  assert.ok(folder.list().length > 5);
  assert.deepEqual(balance(), { held: 7, posted: 500 });
  const last = folder.list().at(-1) ?? '';
  const alone = memoryFolder(new Map([[last, [folder.read(last)]]]));
  assert.deepEqual(begin(alone).balance(), { held: 0, posted: 507 });
  close(open, receipt('open', 3));
});

test('a new segment that never got its first row is no obstacle', () => {
  const folder = memoryFolder();
  const { close, take } = begin(folder);
  close(take('a'), receipt('a', 60));
  folder.open('000000000002.journal');
  assert.deepEqual(begin(folder).balance(), { held: 0, posted: 60 });
});

test('a journal cut at every byte is exactly its whole rows, and is written on', (context) => {
  const path = temporary(context);
  const { close, take, clock } = begin(openSegments(path));
  close(take('a', 50), receipt('a', 20));
  take('b', 30);
  clock.turn();
  const [name = ''] = readdirSync(path);
  const bytes = readFileSync(join(path, name));
  const ends: number[] = [];
  scanRows(bytes, 0, (_, end) => ends.push(end));
  const posted = (size: number): number => {
    const whole = ends.filter((end) => end <= size).length;
    return [0, 0, 50, 20, 50][whole] ?? Number.NaN;
  };
  for (let size = 0; size <= bytes.length; size++) {
    writeFileSync(join(path, name), bytes);
    truncateSync(join(path, name), size);
    const next = begin(openSegments(path));
    assert.deepEqual(next.balance(), { held: 0, posted: posted(size) }, `cut at ${size}`);
    next.close(next.take('after'), receipt('after', 1));
    assert.deepEqual(
      begin(openSegments(path)).balance(),
      { held: 0, posted: posted(size) + 1 },
      `written on at ${size}`,
    );
  }
});

test('a short write is completed, one that fails half-way leaves nothing behind', (context) => {
  const path = temporary(context);
  let left = Number.POSITIVE_INFINITY;
  const file = openAppend(path, 'a', (descriptor, bytes, from, length) => {
    if (left <= 0) throw new Error('ENOSPC');
    const some = Math.min(3, length, left);
    left -= some;
    writeFileSync(descriptor, bytes.subarray(from, from + some));
    return some;
  });
  file.write(Buffer.from('0123456789'));
  left = 7;
  assert.throws(() => file.write(Buffer.from('abcdefghij')), /ENOSPC/);
  assert.equal(readFileSync(join(path, 'a'), 'utf8'), '0123456789');
  left = 100;
  file.write(Buffer.from('xyz'));
  assert.deepEqual([readFileSync(join(path, 'a'), 'utf8'), file.size], ['0123456789xyz', 13]);
  file.close();
});

test('a process that is killed loses nothing that it said was written', async (context) => {
  const path = temporary(context);
  const child = spawn(process.execPath, [new URL('../../test/journal-writer.ts', import.meta.url).pathname, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
    if (said.length > 20_000) child.kill('SIGKILL');
  });
  await once(child, 'close');
  const claimed = said.slice(0, said.lastIndexOf('\n')).split('\n');
  const folder = openSegments(path);
  const clock = manualClock(Date.now());
  const budget = createBudget({ clock, log: quiet }, openJournal(folder, clock), { live: still(budgets) });
  const receipts = receiptsOf(folder);
  const ids = new Set(receipts.map(({ id }) => id));
  for (const id of claimed) assert.ok(ids.has(id), `${id} was settled`);
  assert.equal(ids.size, receipts.length);
  const sum = receipts.reduce((all, { cost }) => all + cost, 0);
  assert.deepEqual(
    budget.balances([rule('global', 1e15, 'lifetime')]).map(({ posted, held }) => [posted, held]),
    [[sum, 0]],
  );
});

test('damage in the middle is passed over, and told', () => {
  const folder = memoryFolder();
  const { close, take } = begin(folder);
  for (const id of ['a', 'b']) close(take(id), receipt(id, 10));
  const [name = ''] = folder.list();
  const bytes = folder.read(name);
  const ends: number[] = [];
  scanRows(bytes, 0, (_, end) => ends.push(end));
  const at = (ends[2] ?? 0) + 30;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  const told: string[] = [];
  const log = { ...quiet, error: (event: string) => void told.push(event) };
  const clock = manualClock(noon);
  const hurt = memoryFolder(new Map([[name, [bytes]]]));
  const journal = openJournal(hurt, clock, { log });
  createBudget({ clock, log }, journal, { live: still(budgets) });
  assert.deepEqual(told, ['hold_unknown', 'journal_damaged']);
  assert.equal(hurt.read(name).length, bytes.length, 'nothing is cut away in the middle');
});
