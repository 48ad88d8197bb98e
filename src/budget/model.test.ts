import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  atOnce,
  caller,
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
import { Refusal } from '../exchange/refusal.ts';
import { createBudget } from './budget.ts';
import { openJournal } from './journal.ts';

const hourMs = 3_600_000;
const start = Date.parse('2026-03-05T12:10:00Z');
const callers = [caller('k1'), caller('k2', { budget: { limit: 90, per: 'lifetime' } })] as const;
const targets = [target('a', 'm'), target('b', 'm'), target('b', 'n')] as const;
const budgets = [
  rule('global', 200, 'hour'),
  rule('key:*', 120, 'hour'),
  rule('key:k1', 80, 'lifetime'),
  rule('provider:b', 60, 'hour'),
  rule('model:b/n', 25, 'lifetime'),
];

/** The whole ledger in a few lines: sums by scope and window, computed with no care for speed. */
function createModel() {
  const limits: [string, 'hour' | 'lifetime', number][] = [...budgets.filter(({ scope }) => scope !== 'key:*')].map(
    ({ scope, per, limit }) => [scope, per as 'hour', limit],
  );
  limits.push(['key:k1', 'hour', 120], ['key:k2', 'hour', 120], ['key:k2', 'lifetime', 90]);
  const sums = new Map<string, { held: number; posted: number }>();
  const open = new Map<string, { at: number; key: string; target: number; amount: number }>();
  const places = (at: number, key: string, on: number) => {
    const { provider, model } = targets[on] as (typeof targets)[number];
    const scopes = ['global', `key:${key}`, `provider:${provider.name}`, `model:${provider.name}/${model}`];
    return limits
      .filter(([scope]) => scopes.includes(scope))
      .map(([scope, per, limit]) => {
        const id = `${scope} ${per === 'hour' ? Math.floor(at / hourMs) : ''}`;
        if (!sums.has(id)) sums.set(id, { held: 0, posted: 0 });
        return { limit, sum: sums.get(id) as { held: number; posted: number } };
      });
  };
  const spare = (at: number, key: string, on: number): number =>
    Math.min(...places(at, key, on).map(({ limit, sum }) => limit - sum.held - sum.posted));
  const put = (hold: { at: number; key: string; target: number }, amount: number): void => {
    for (const { sum } of places(hold.at, hold.key, hold.target)) sum.held += amount;
  };
  return { sums, open, places, spare, put };
}

type Step =
  | { do: 'hold'; key: number; on: number; amount: number; minimum: number }
  | { do: 'topUp'; which: number; amount: number }
  | { do: 'close'; which: number; cost: number; twice: boolean }
  | { do: 'pass'; minutes: number }
  | { do: 'turn' }
  | { do: 'crash' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('hold'),
      key: fc.nat(1),
      on: fc.nat(2),
      amount: fc.nat(60),
      minimum: fc.nat(30),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('topUp'), which: fc.nat(9), amount: fc.nat(30) }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('close'), which: fc.nat(9), cost: fc.nat(70), twice: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass'), minutes: fc.integer({ min: 1, max: 70 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('turn') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash') }) },
) as fc.Arbitrary<Step>;

function play(steps: readonly Step[], segmentBytes: number): void {
  const clock = manualClock(start);
  let folder: MemoryFolder = memoryFolder();
  const begin = () =>
    createBudget({ clock, log: quiet }, openJournal(folder, clock, { segmentBytes }), { live: still(budgets) });
  let budget = begin();
  const model = createModel();
  let holds: Hold[] = [];
  let ids = 0;
  for (const each of steps) {
    const hold = 'which' in each ? holds[each.which % Math.max(1, holds.length)] : undefined;
    if (each.do === 'turn') clock.turn();
    else if (each.do === 'pass') clock.pass(each.minutes * 60_000);
    else if (each.do === 'crash') {
      // The rows of this turn are in the file before any call leaves; a crash before that would have no call.
      clock.turn();
      folder = folder.copy();
      budget = begin();
      for (const { amount, ...at } of model.open.values()) {
        model.put({ ...at }, -amount);
        for (const { sum } of model.places(at.at, at.key, at.target)) sum.posted += amount;
      }
      model.open.clear();
      holds = [];
    } else if (each.do === 'hold') {
      const { amount, minimum, on, key } = each;
      const by = callers[key] as (typeof callers)[number];
      const id = `e${ids++}`;
      const left = Math.max(0, model.spare(clock.now(), by.keyId, on));
      const granted = Math.min(amount, left);
      try {
        const taken = atOnce(
          budget.hold({
            id,
            caller: by,
            target: targets[on] as (typeof targets)[number],
            amount,
            minimum,
            budgets,
            extra: [],
          }),
        );
        assert.equal(taken.amount, granted);
        holds.push(taken);
        model.open.set(id, { at: clock.now(), key: by.keyId, target: on, amount: granted });
        model.put({ at: clock.now(), key: by.keyId, target: on }, granted);
      } catch (error) {
        assert.ok(error instanceof Refusal && error.refusal === 'budget_exceeded', String(error));
        assert.ok(granted < Math.min(minimum, amount) || granted === 0);
      }
    } else if (hold) {
      const open = model.open.get(hold.id);
      assert.ok(open);
      if (each.do === 'topUp') {
        const fits = model.spare(open.at, open.key, open.target) >= each.amount;
        assert.equal(budget.topUp(hold, each.amount), fits);
        if (fits) {
          model.put(open, each.amount);
          open.amount += each.amount;
        }
      } else {
        budget.close(hold, receipt(hold.id, each.cost));
        if (each.twice) budget.close(hold, receipt(hold.id, each.cost));
        model.put(open, -open.amount);
        for (const { sum } of model.places(open.at, open.key, open.target)) sum.posted += each.cost;
        model.open.delete(hold.id);
        holds = holds.filter((other) => other !== hold);
      }
    }
    for (const { scope, per, held, posted, available, limit } of budget.balances(budgets)) {
      assert.equal(limit, available + held + posted);
      const sum = model.sums.get(`${scope} ${per === 'hour' ? Math.floor(clock.now() / hourMs) : ''}`);
      assert.deepEqual([held, posted], [sum?.held ?? 0, sum?.posted ?? 0], `${scope} per ${per}`);
    }
  }
}

test('the ledger agrees with its model after every step, crashes and new segments included', () => {
  const size = fc.constantFrom(300, 2000, 64 * 1024 * 1024);
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), size, play), { seed: 17, numRuns: 500 });
});
