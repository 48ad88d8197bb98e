import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seeded } from '../../bench/plan.ts';
import { atOnce, caller, manualClock, memoryFolder, quiet, receipt, rule, still, target } from '../../test/ledger.ts';
import type { Hold } from '../exchange/hold.ts';
import { createBudget } from './budget.ts';
import { openJournal } from './journal.ts';

const dayMs = 86_400_000;
const days = 500;
const perDay = 40;

test('A14: what is settled in the next window is charged to the one it was held in, over restarts too', () => {
  const first = Date.parse('2026-03-05T00:00:00Z');
  const budgets = [rule('global', 1e12), rule('key:*', 1e12, 'lifetime')];
  const folder = memoryFolder();
  const clock = manualClock(first);
  const chance = seeded(14);
  const open = () => {
    const journal = openJournal(folder, clock, { segmentBytes: 100_000 });
    return createBudget({ clock, log: quiet }, journal, { live: still(budgets) });
  };
  let budget = open();
  const posted = (scope: string, window: string): number =>
    budget.standing().accounts.find((each) => each.scope === scope && each.window.startsWith(window))?.posted ?? 0;
  let carried: Hold[] = [];
  let crashed = 0;
  let all = 0;
  for (let day = 0; day < days; day++) {
    const midnight = first + day * dayMs;
    const window = `day/UTC/${new Date(midnight).toISOString().slice(0, 10)}`;
    // Held in the last second of the day before, settled in the first seconds of this one.
    clock.set(midnight + Math.floor(chance() * 5000));
    // The new window is in use before the old one's are settled.
    budget.balances(budgets);
    for (const hold of carried) {
      const { id } = hold;
      const cost = Math.floor(chance() * 90);
      budget.close(hold, receipt(id, cost));
      all += cost;
    }
    assert.equal(posted('global', window), 0, `day ${day} begins with what was held before it`);
    let today = 0;
    carried = [];
    for (let number = 0; number < perDay; number++) {
      const stays = number % 2 === 0;
      clock.set(stays ? midnight + dayMs - 1 - Math.floor(chance() * 1000) : midnight + 10_000 + number);
      const id = `e${day}-${number}`;
      const wants = { id, caller: caller('k1'), target: target('sim', 'small'), amount: 100, minimum: 1, extra: [] };
      const hold = atOnce(budget.hold({ ...wants, budgets }));
      clock.turn();
      if (stays) carried.push(hold);
      else {
        const cost = Math.floor(chance() * 90);
        budget.close(hold, receipt(id, cost));
        today += cost;
        all += cost;
      }
    }
    assert.equal(posted('global', window), today, `day ${day}`);
    if (day % 50 === 49) {
      // The process dies and the next one starts after midnight: what was open is of the day before.
      clock.set(midnight + dayMs + 1);
      crashed += carried.length * 100;
      carried = [];
      budget = open();
    }
    assert.equal(posted('key:k1', 'lifetime'), all + crashed, `lifetime at day ${day}`);
  }
});
