import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atOnce, caller, manualClock, memoryFolder, quiet, receipt, rule, target } from '../../test/ledger.ts';
import type { Caller } from '../exchange/caller.ts';
import type { Hold, Scoped } from '../exchange/hold.ts';
import type { BudgetRule } from '../exchange/policy.ts';
import { Refusal } from '../exchange/refusal.ts';
import { claimsPerKeyMax } from './accounts.ts';
import { type Budget, createBudget } from './budget.ts';
import { openJournal } from './journal.ts';

const noon = Date.parse('2026-03-05T12:00:00Z');
const small = target('sim', 'small');

function begin(folder = memoryFolder(), now = noon) {
  const clock = manualClock(now);
  const warnings: [string, unknown][] = [];
  const log = { ...quiet, warn: (event: string, fields?: unknown) => void warnings.push([event, fields]) };
  const journal = openJournal(folder, clock);
  let budgets: readonly BudgetRule[] = [];
  const live = { budgets: () => budgets, caller: (known: Caller) => known };
  const opened = createBudget({ clock, log }, journal, { live });
  // What a request is admitted under is what holds now, until a test says otherwise.
  const budget: Budget = {
    ...opened,
    hold(wants) {
      budgets = wants.budgets;
      return opened.hold(wants);
    },
    get open() {
      return opened.open;
    },
  };
  const setLimits = (next: readonly BudgetRule[]): void => {
    budgets = next;
  };
  return { clock, folder, journal, warnings, budget, setLimits };
}

interface Take {
  id: string;
  by?: Caller;
  amount: number;
  minimum?: number;
  on?: ReturnType<typeof target>;
  extra?: Scoped[];
}

function take(budget: Budget, budgets: readonly BudgetRule[], wants: Take): Hold {
  const { id, by = k1, amount, minimum = 1, on = small, extra = [] } = wants;
  return atOnce(budget.hold({ id, caller: by, target: on, amount, minimum, budgets, extra }));
}

const k1 = caller('k1');

function refusedWith(code: string, facts?: Record<string, unknown>): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof Refusal);
    assert.equal(error.refusal, code);
    if (facts) assert.deepEqual(error.detail.facts, facts);
    return true;
  };
}

test('a hold takes what is left, and is refused below its minimum', () => {
  const { budget } = begin();
  const budgets = [rule('global', 100)];
  assert.equal(take(budget, budgets, { id: 'a', amount: 70 }).amount, 70);
  assert.equal(take(budget, budgets, { id: 'b', amount: 70, minimum: 20 }).amount, 30);
  assert.throws(() => take(budget, budgets, { id: 'c', amount: 70 }), refusedWith('budget_exceeded'));
});

test('all scopes or none: a refusal leaves every other account as it was', () => {
  const { budget } = begin();
  const budgets = [rule('global', 1000), rule('key:*', 1000), rule('key:k1', 10)];
  assert.throws(() => take(budget, budgets, { id: 'a', amount: 50, minimum: 20 }), refusedWith('budget_exceeded'));
  assert.deepEqual(new Set(budget.balances(budgets).map(({ held }) => held)), new Set([0]));
});

test('the refusal names the own key, its limit and when it resets; of others it says nothing', () => {
  const { budget } = begin();
  const budgets = [rule('global', 60), rule('key:*', 10_000_000, 'day', 'Europe/Berlin')];
  const facts = { scope: 'key:k1', limit: '0.01 USD', per: 'day', resets_at: '2026-03-05T23:00:00Z' };
  budget.close(take(budget, [], { id: 'x', amount: 5 }), receipt('x', 0));
  const own = [budgets[1] as BudgetRule];
  budget.close(take(budget, own, { id: 'a', amount: 10_000_000 }), receipt('a', 10_000_000));
  assert.throws(
    () => take(budget, own, { id: 'b', amount: 1 }),
    (error: unknown) => {
      assert.ok(refusedWith('budget_exceeded', facts)(error));
      assert.equal(
        (error as Error).message,
        'Budget exceeded: the key "name of k1" (key:k1) may spend 0.01 USD per day, and what is left does not pay for this request. It resets at 2026-03-05T23:00:00Z.',
      );
      return true;
    },
  );
  const shared = [rule('global', 60)];
  budget.close(take(budget, shared, { id: 'c', by: caller('k2'), amount: 60 }), receipt('c', 60));
  assert.throws(
    () => take(budget, shared, { id: 'd', amount: 5 }),
    refusedWith('budget_exceeded', {
      scope: 'global',
      limit: '0.00000006 USD',
      per: 'day',
      resets_at: '2026-03-06T00:00:00Z',
    }),
  );
});

test('a free request passes an exhausted budget', () => {
  const { budget } = begin();
  const budgets = [rule('global', 10)];
  budget.close(take(budget, budgets, { id: 'a', amount: 10 }), receipt('a', 15));
  assert.equal(take(budget, budgets, { id: 'b', amount: 0, minimum: 0 }).amount, 0);
  assert.throws(() => take(budget, budgets, { id: 'c', amount: 1 }), refusedWith('budget_exceeded'));
});

test("a key's own budget counts beside the configuration's", () => {
  const { budget } = begin();
  const limited = caller('k1', { budget: { limit: 7, per: 'lifetime' } });
  const budgets = [rule('key:*', 100)];
  assert.equal(take(budget, budgets, { id: 'a', by: limited, amount: 50 }).amount, 7);
  assert.deepEqual(budget.remaining(limited, budgets), { scope: 'key:k1', remaining: 0, limit: 7 });
  assert.throws(
    () => take(budget, budgets, { id: 'b', by: limited, amount: 1 }),
    refusedWith('budget_exceeded', { scope: 'key:k1', limit: '0.000000007 USD', per: 'lifetime' }),
  );
  const sameWindow = caller('k2', { budget: { limit: 7, per: 'day' } });
  assert.equal(take(budget, budgets, { id: 'c', by: sameWindow, amount: 50 }).amount, 7);
  assert.equal(budget.balances(budgets).find(({ scope }) => scope === 'key:k2')?.held, 7);
});

test('closing twice posts once; a hold of the same id afterwards is another one', () => {
  const { budget } = begin();
  const budgets = [rule('global', 100)];
  const first = take(budget, budgets, { id: 'a', amount: 10 });
  budget.close(first, receipt('a', 4));
  budget.close(first, receipt('a', 4));
  const second = take(budget, budgets, { id: 'a', amount: 10 });
  budget.close(first, receipt('a', 9));
  assert.equal(budget.topUp(first, 1), false);
  assert.deepEqual([budget.open, budget.balances(budgets)[0]?.posted], [1, 4]);
  budget.close(second, receipt('a', 6));
  assert.deepEqual([budget.open, budget.balances(budgets)[0]?.posted], [0, 10]);
});

test('a request is charged to the window its hold was taken in', () => {
  const { budget, clock } = begin(memoryFolder(), Date.parse('2026-03-05T23:59:59Z'));
  const budgets = [rule('global', 100)];
  const hold = take(budget, budgets, { id: 'a', amount: 90 });
  clock.set(Date.parse('2026-03-06T00:00:01Z'));
  assert.equal(take(budget, budgets, { id: 'b', amount: 90 }).amount, 90);
  budget.close(hold, receipt('a', 90));
  const [today] = budget.balances(budgets);
  assert.deepEqual([today?.held, today?.posted, today?.available], [90, 0, 10]);
  clock.set(Date.parse('2026-03-05T23:59:59Z'));
  assert.equal(budget.balances(budgets)[0]?.held, 90, 'a clock that goes back reopens no window');
});

test('a move takes the target accounts along, or changes nothing', () => {
  const { budget } = begin();
  const budgets = [rule('global', 100), rule('provider:a', 50), rule('provider:b', 20), rule('model:b/*', 30)];
  const state = () => budget.balances(budgets).map(({ scope, held, posted }) => [scope, held, posted]);
  const hold = take(budget, budgets, { id: 'x', amount: 40, on: target('a', 'm') });
  const before = state();
  assert.equal(budget.move(hold, target('b', 'm'), 25), false);
  assert.deepEqual(
    state().filter(([scope]) => scope !== 'model:b/m'),
    before,
  );
  assert.equal(budget.move(hold, target('b', 'm'), 20), true);
  assert.deepEqual([hold.amount, hold.target.provider.name], [20, 'b']);
  const charges = [{ ...receipt('x', 5).charges[0], provider: 'a', model: 'm' }];
  budget.close(
    hold,
    receipt('x', 12, { charges: [...charges, { ...charges[0], attempt: 2, provider: 'b', cost: 7 }] as never }),
  );
  assert.deepEqual(Object.fromEntries(state().map(([scope, held, posted]) => [scope, [held, posted]])), {
    global: [0, 12],
    'provider:a': [0, 5],
    'provider:b': [0, 7],
    'model:b/m': [0, 7],
  });
});

test('a top-up grows the hold only where every scope can pay', () => {
  const { budget } = begin();
  const budgets = [rule('global', 100), rule('key:*', 50)];
  const hold = take(budget, budgets, { id: 'a', amount: 30 });
  assert.equal(budget.topUp(hold, 21), false);
  assert.equal(budget.topUp(hold, 20), true);
  assert.equal(hold.amount, 50);
  budget.close(hold, receipt('a', 50));
  assert.deepEqual(
    budget.balances(budgets).map(({ held, posted }) => [held, posted]),
    [
      [0, 50],
      [0, 50],
    ],
  );
});

test('claims live under their key, add limits only, and are bounded in number', () => {
  const { budget, clock } = begin();
  const budgets = [rule('run:*', 10, 'lifetime')];
  const run = [{ scope: 'run:nightly' }];
  assert.equal(take(budget, budgets, { id: 'a', amount: 50, extra: run }).amount, 10);
  assert.equal(take(budget, budgets, { id: 'b', by: caller('k2'), amount: 50, extra: run }).amount, 10);
  assert.throws(
    () => take(budget, budgets, { id: 'c', amount: 1, extra: run }),
    refusedWith('budget_exceeded', { scope: 'run:nightly', limit: '0.00000001 USD', per: 'lifetime' }),
  );
  const own = { scope: 'end_user:ann', budget: { limit: 3, per: 'day' as const } };
  assert.equal(take(budget, budgets, { id: 'd', amount: 50, extra: [own] }).amount, 3);
  for (let run = 0; run < claimsPerKeyMax - 2; run++) {
    budget.close(
      take(budget, budgets, { id: `r${run}`, amount: 1, extra: [{ scope: `run:${run}` }] }),
      receipt(`r${run}`, 1),
    );
  }
  const another = { id: 'e', amount: 1, extra: [{ scope: 'run:one more' }] };
  assert.throws(() => take(budget, budgets, another), refusedWith('not_allowed'));
  clock.pass(8 * 86_400_000);
  assert.equal(take(budget, budgets, another).amount, 1);
});

test('an alert is raised once for each share of a limit that is passed', () => {
  const { budget, warnings } = begin();
  const budgets = [{ ...rule('global', 100), alertAt: [0.5, 0.8] }];
  for (const [id, cost] of [
    ['a', 40],
    ['b', 10],
    ['c', 10],
    ['d', 30],
  ] as const) {
    budget.close(take(budget, budgets, { id, amount: cost }), receipt(id, cost));
  }
  const window = 'day/UTC/2026-03-05T00:00Z';
  assert.deepEqual(warnings, [
    ['budget_alert', { scope: 'global', window, share: 0.5, limit: 100 }],
    ['budget_alert', { scope: 'global', window, share: 0.8, limit: 100 }],
  ]);
});

test('an amount that is none is refused, a cost that is none posts what was held', () => {
  const { budget } = begin();
  const budgets = [rule('global', 100)];
  for (const amount of [Number.NaN, -1, 0.5, 2 ** 53]) {
    assert.throws(() => take(budget, budgets, { id: 'a', amount }), refusedWith('internal'));
  }
  budget.close(take(budget, budgets, { id: 'b', amount: 30 }), receipt('b', Number.NaN));
  assert.equal(budget.balances(budgets)[0]?.posted, 30);
});

test('limits act at once: an open hold asks for more under those of this moment', () => {
  const { budget, setLimits } = begin();
  const before = [rule('key:*', 100)];
  const hold = take(budget, before, { id: 'a', amount: 40 });
  setLimits([rule('key:*', 45)]);
  assert.equal(budget.topUp(hold, 6), false);
  assert.equal(budget.topUp(hold, 5), true);
  setLimits([rule('key:*', 200)]);
  assert.equal(budget.topUp(hold, 155), true);
  setLimits([]);
  assert.equal(budget.topUp(hold, 1_000_000), true);
});

test('a soft limit is reported when it is passed, and never in the way', () => {
  const { budget, warnings } = begin();
  const soft: BudgetRule = { ...rule('key:*', 100), soft: true, alertAt: [0.5, 1] };
  for (const id of ['a', 'b', 'c']) budget.close(take(budget, [soft], { id, amount: 60 }), receipt(id, 60));
  assert.deepEqual(
    warnings.map(([event, fields]) => [event, (fields as { share: number }).share]),
    [
      ['budget_alert', 0.5],
      ['budget_alert', 1],
    ],
  );
});
