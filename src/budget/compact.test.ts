import assert from 'node:assert/strict';
import { test } from 'node:test';
import { caller, closing, manualClock, memoryFolder, quiet, receipt, rule, still, target } from '../../test/ledger.ts';
import type { Hold } from '../exchange/hold.ts';
import { scanRows } from '../exchange/journal.ts';
import type { JournalRow, Receipt } from '../exchange/receipt.ts';
import { createBudget } from './budget.ts';
import { openJournal } from './journal.ts';

const noon = Date.parse('2026-03-05T12:00:00Z');
const hourMs = 3_600_000;
const budgets = [rule('global', 1e12, 'lifetime'), rule('global', 1e12, 'day')];

function begin(folder = memoryFolder(), now = noon, alerts: string[] = []) {
  const clock = manualClock(now);
  const journal = openJournal(folder, clock, { segmentBytes: 3000 });
  const told = { ...rule('global', 1000), alertAt: [0.5, 0.8] };
  const log = { ...quiet, warn: (event: string) => void (event === 'budget_alert' && alerts.push(event)) };
  const budget = createBudget({ clock, log }, journal, { live: still(budgets) });
  const take = (id: string, more: { alerting?: boolean } = {}): Hold => {
    const rules = more.alerting ? [told] : budgets;
    const about = { format: 'anthropic-messages' as const, asked: 'chat', stream: true };
    const asking = caller('k1', { scopes: ['global', 'key:k1', 'team:red'] });
    const given = budget.hold({
      id,
      caller: asking,
      target: target('sim', 'small'),
      amount: 100,
      minimum: 1,
      budgets: rules,
      extra: [],
      about,
    });
    if (given instanceof Promise) throw new Error('a sole owner made its caller wait');
    clock.turn();
    return given;
  };
  const close = closing(budget, clock);
  const spend = (id: string, cost = 10, more: { alerting?: boolean } = {}) => close(take(id, more), receipt(id, cost));
  const posted = () =>
    budget.standing().accounts.map(({ scope, window, posted, held }) => [scope, window, posted, held]);
  return { folder, clock, journal, budget, take, close, spend, posted };
}

test('old segments go once every reader has passed them, they are past their time, and a later one has their sums', async () => {
  const { folder, clock, journal, close, take, spend, posted } = begin();
  const open = take('open');
  for (let index = 0; index < 40; index++) {
    spend(`e${index}`);
    clock.pass(hourMs / 4);
  }
  const names = folder.list();
  assert.ok(names.length > 8, `${names.length}`);
  const sums = posted();
  const current = journal.position().segment;

  assert.deepEqual(await journal.compact(names[0] ?? '', clock.now()), [], 'a reader still stands at the first');
  assert.deepEqual(await journal.compact(current, noon), [], 'all are young');
  assert.deepEqual(await journal.compact(names[3] ?? '', clock.now()), names.slice(0, 3), 'up to the reader');
  const half = await journal.compact(current, noon + 6 * hourMs);
  assert.ok(half.length > 0 && half.length < names.length - 5, 'those that ended more than four hours ago');
  await journal.compact('999999999999.journal', clock.now() + hourMs);
  assert.deepEqual(
    folder.list(),
    names.slice(-2),
    'a start needs the last head; the one before it stays, should that be damaged',
  );

  assert.deepEqual(posted(), sums);
  const next = begin(folder.copy(), clock.now());
  const crash = (rows: unknown[][]) => rows.map(([scope, window, amount]) => [scope, window, Number(amount) + 100, 0]);
  assert.deepEqual(next.posted(), crash(sums), 'and what was open crashed');
  close(open, receipt('open', 5));
});

test('a segment is not removed before the head that stands for it is on the disk', async () => {
  const { folder, clock, journal, spend } = begin();
  for (let index = 0; index < 40; index++) spend(`e${index}`);
  const names = folder.list();
  folder.failsToSync = true;
  await assert.rejects(journal.compact('999999999999.journal', clock.now() + 1));
  assert.deepEqual(folder.list(), names);
});

test('the receipt of a crash says what was asked, in which format, by whom, at which attempt', () => {
  const { folder, budget, take, spend } = begin();
  const moved = take('moved');
  take('plain');
  assert.equal(budget.move(moved, target('two', 'other'), 120), true);
  const crashed = (copy = folder.copy()): Partial<Receipt>[] => {
    const rows: JournalRow[] = [];
    begin(copy);
    for (const name of copy.list()) scanRows(copy.read(name), 0, (row) => rows.push(row));
    return rows.flatMap((row) => (row.type === 'receipt' && row.receipt.ending === 'crashed' ? [row.receipt] : []));
  };
  const check = (): void => {
    const told = crashed().map(({ id, asked, format, stream, scopes, provider, charges }) => {
      return { id, asked, format, stream, scopes, provider, attempt: charges?.[0]?.attempt };
    });
    const same = {
      asked: 'chat',
      format: 'anthropic-messages',
      stream: true,
      scopes: ['global', 'key:k1', 'team:red'],
    };
    assert.deepEqual(told, [
      { id: 'moved', ...same, provider: 'two', attempt: 2 },
      { id: 'plain', ...same, provider: 'sim', attempt: 1 },
    ]);
  };
  check();
  // The same once a head repeats the holds.
  for (let index = 0; index < 20; index++) spend(`e${index}`);
  assert.ok(folder.list().length > 2);
  check();
});

test('a threshold is reported once in its window, also over restarts', () => {
  const alerts: string[] = [];
  const first = begin(memoryFolder(), noon, alerts);
  first.spend('a', 550, { alerting: true });
  first.spend('b', 10, { alerting: true });
  assert.equal(alerts.length, 1);
  const second = begin(first.folder, noon, alerts);
  second.spend('c', 10, { alerting: true });
  assert.equal(alerts.length, 1);
  second.spend('d', 300, { alerting: true });
  assert.equal(alerts.length, 2, 'the next threshold');
  const third = begin(second.folder, noon + 24 * hourMs, alerts);
  third.spend('e', 550, { alerting: true });
  assert.equal(alerts.length, 3, 'and again in the next window');
});
