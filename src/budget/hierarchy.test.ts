import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atOnce, caller, manualClock, memoryFolder, quiet, receipt, rule, still, target } from '../../test/ledger.ts';
import type { Caller } from '../exchange/caller.ts';
import type { Scoped } from '../exchange/hold.ts';
import type { BudgetRule } from '../exchange/policy.ts';
import { Refusal } from '../exchange/refusal.ts';
import { createBudget } from './budget.ts';
import { openJournal } from './journal.ts';

const small = target('sim', 'small');
const ann = caller('k1', {
  scopes: ['global', 'key:k1', 'user:ann', 'team:search', 'org:acme'],
});
const bob = caller('k2', { scopes: ['global', 'key:k2', 'user:bob', 'team:search', 'org:acme'] });
const ci = caller('k3', { scopes: ['global', 'key:k3', 'service:ci@acme.com', 'team:ads', 'org:acme'] });
const claims: readonly Scoped[] = [{ scope: 'run:nightly' }, { scope: 'tag:feature=x' }, { scope: 'end_user:zoe' }];

function begin() {
  const clock = manualClock(Date.parse('2026-03-05T12:00:00Z'));
  const warnings: [string, unknown][] = [];
  const log = { ...quiet, warn: (event: string, fields?: unknown) => void warnings.push([event, fields]) };
  const budget = createBudget({ clock, log }, openJournal(memoryFolder(), clock), { live: still([]) });
  let number = 0;
  /** Spends an amount and answers the scope that refused it, where one did. */
  const spend = (
    by: Caller,
    amount: number,
    budgets: readonly BudgetRule[],
    extra: readonly Scoped[] = claims,
  ): string | undefined => {
    number++;
    try {
      const wants = { id: `r${number}`, caller: by, target: small, amount, minimum: amount, budgets, extra };
      budget.close(atOnce(budget.hold(wants)), receipt(`r${number}`, amount));
      return undefined;
    } catch (error) {
      assert.ok(error instanceof Refusal && error.refusal === 'budget_exceeded', String(error));
      return String(error.detail.facts?.scope);
    }
  };
  return { budget, spend, warnings };
}

test('A11: each of the eleven kinds of scope blocks alone, named in the words of the caller', () => {
  const scopes = [
    'global',
    'org:acme',
    'team:search',
    'user:ann',
    'key:k1',
    'end_user:zoe',
    'tag:feature=x',
    'run:nightly',
    'model:sim/small',
    'provider:sim',
  ];
  for (const scope of scopes) {
    const { spend } = begin();
    assert.equal(spend(ann, 10, [rule(scope, 10)]), undefined, scope);
    assert.equal(spend(ann, 1, [rule(scope, 10)]), scope);
    if (scope === 'global') continue;
    const each = [rule(`${scope.slice(0, scope.search(/[:=]/) + 1)}*`, 10)];
    assert.equal(spend(ann, 1, each), scope, 'one account, whether a rule names it or each one');
  }
  const { spend } = begin();
  assert.equal(spend(ci, 10, [rule('service:ci@acme.com', 10)]), undefined);
  assert.equal(spend(ci, 1, [rule('service:ci@acme.com', 10)]), 'service:ci@acme.com');
});

test('keys of one team share its runs; those of another team, and keys without one, have their own', () => {
  const { spend, budget } = begin();
  const budgets = [rule('run:*', 10, 'lifetime')];
  assert.equal(spend(ann, 10, budgets), undefined);
  assert.equal(spend(bob, 1, budgets), 'run:nightly');
  assert.equal(spend(ci, 10, budgets), undefined);
  assert.equal(spend(caller('k9'), 10, budgets), undefined);
  assert.deepEqual(
    budget.balances(budgets).map(({ scope, named }) => [scope, named]),
    ['team:search/run:nightly', 'team:ads/run:nightly', 'key:k9/run:nightly'].map((scope) => [scope, false]),
  );
});

test('names that were claimed and never spent on leave the table, those that spent stay', () => {
  const { spend, budget } = begin();
  const budgets = [rule('end_user:*', 10, 'lifetime')];
  for (let user = 0; user < 10_000; user++) assert.ok(spend(ann, 11, budgets, [{ scope: `end_user:${user}` }]));
  assert.throws(() => spend(ann, 1, budgets, [{ scope: 'end_user:more' }]), /not_allowed|10,000/);
  assert.equal(spend(bob, 1, budgets, [{ scope: 'end_user:more' }]), undefined, "another key's number is its own");
  assert.equal(budget.balances(budgets).length, 10_001);
});

test('a soft budget lets everything pass and says once that it was passed', () => {
  const { spend, warnings, budget } = begin();
  const budgets = [{ ...rule('team:search', 10), soft: true as const }];
  for (let count = 0; count < 5; count++) assert.equal(spend(ann, 4, budgets), undefined);
  const window = 'day/UTC/2026-03-05T00:00Z';
  assert.deepEqual(warnings, [['budget_alert', { scope: 'team:search', window, share: 1, limit: 10 }]]);
  assert.equal(budget.balances(budgets)[0]?.available, -10);
  assert.equal(spend(ann, 4, [...budgets, rule('org:acme', 10)], []), undefined);
  assert.equal(spend(ann, 8, [...budgets, rule('org:acme', 10)], []), 'org:acme', 'a hard one beside it stands');
});
