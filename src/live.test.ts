import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from './config/config.ts';
import { ConfigError } from './config/problems.ts';
import { defaultBudgets } from './config/read-money.ts';
import { sampleTable } from './config/sample-table.test.ts';
import type { BudgetRecord } from './exchange/caller.ts';
import { createLiveBudgets, refuseCollisions } from './live.ts';

const record = (id: string, scope: string, more: Partial<BudgetRecord> = {}): BudgetRecord => ({
  id,
  scope,
  limit: 7,
  per: 'day',
  timezone: 'UTC',
  alertAt: [],
  createdAt: 0,
  ...more,
});

test('the default of 5 USD a day gives way to whoever sets a budget for the whole, and to nothing less', () => {
  const live = createLiveBudgets(
    () => defaultBudgets,
    () => 0,
    [],
  );
  assert.deepEqual(live.rules(), defaultBudgets);
  live.put(record('a', 'team:x'));
  live.put(record('b', 'global', { soft: true }));
  assert.equal(live.rules().length, 3);
  live.put(record('c', 'global', { per: 'month' }));
  assert.deepEqual(
    live.list().map(({ source, record }) => [source, record?.id]),
    [
      ['api', 'a'],
      ['api', 'b'],
      ['api', 'c'],
    ],
  );
});

test('a file that declares what the control plane made is refused with its line', () => {
  const loaded = loadConfig({
    text: 'budgets:\n  - { scope: global, limit: 5, per: day }\n  - { scope: "team:x", limit: 5, per: lifetime, timezone: Europe/Berlin }\n',
    fileName: 'f',
    environment: {},
    readFile: () => '',
    table: sampleTable,
  });
  refuseCollisions(loaded, 'f', [record('a', 'global', { per: 'month' }), record('b', 'team:x')]);
  assert.throws(
    () => refuseCollisions(loaded, 'f', [record('b1', 'team:x', { per: 'lifetime' })]),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(
        error.message,
        'f:3: budgets[1]: team:x per lifetime has a budget that was made through the API (b1); remove that one first: tollgate budget remove b1',
      );
      return true;
    },
  );
});
