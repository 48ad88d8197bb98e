import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClock } from '../../sim/clock.ts';
import { caller, memoryFolder, quiet, receipt, rule, still, target } from '../../test/ledger.ts';
import type { Bank, BankAsk, Slice } from '../exchange/bank.ts';
import type { Hold } from '../exchange/hold.ts';
import { type Budget, createBudget } from './budget.ts';
import { openJournal } from './journal.ts';

const noon = Date.UTC(2026, 2, 5, 12);
const budgets = [rule('key:*', 1_000)];
const k1 = caller('k1');
const small = target('sim', 'small');

/** A bank that gives what is needed, a simulated second later, up to what it has. */
function begin(has: number) {
  const clock = createClock(noon);
  const asks: BankAsk[] = [];
  let given = 0;
  const pause = (): Promise<void> => new Promise((resolve) => void clock.after(1_000, resolve));
  const bank: Bank = {
    async exchange(ask) {
      asks.push(ask);
      await pause();
      const slices = ask.wants.map(({ scope, window, have, need, posted }): Slice => {
        const more = Math.max(0, Math.min(need, has - given));
        given += more;
        return { scope, window, have: have + more, available: has - given, posted, recalling: false };
      });
      return { now: clock.now(), instances: 2, slices };
    },
    enter: async () => ({ now: clock.now(), number: 1 }),
    onRecall: () => undefined,
    close: async () => undefined,
  };
  const journal = openJournal(memoryFolder(), clock);
  const budget = createBudget({ clock, log: quiet }, journal, {
    live: still(budgets),
    bank: { bank, instance: 'one' },
  });
  return { clock, budget, asks };
}

function take(budget: Budget, id: string, amount: number): Promise<Hold> {
  return Promise.resolve(budget.hold({ id, caller: k1, target: small, amount, minimum: 1, budgets, extra: [] }));
}

test('a hold that was closed while its top-up waited for the bank holds nothing afterwards', async () => {
  const { clock, budget } = begin(1_000);
  const taking = take(budget, 'a', 100);
  await clock.run(5_000, () => true);
  const hold = await taking;
  const raising = budget.topUp(hold, 500);
  const moving = budget.move(hold, target('other', 'm'), 700);
  assert.ok(raising instanceof Promise && moving instanceof Promise, 'both have to ask');
  budget.close(hold, receipt('a', 40));
  await clock.run(20_000, () => true);
  assert.deepEqual([await raising, await moving], [false, false]);
  const [balance] = budget.balances(budgets);
  assert.equal(budget.open, 0);
  assert.equal(balance?.posted, 40);
  const whole = take(budget, 'b', 960);
  await clock.run(40_000, () => true);
  assert.equal((await whole).amount, 960, 'all that was not spent can be held');
  budget.stop();
});
