// Cases of the contract: what the control plane keeps.

import assert from 'node:assert/strict';
import type { BudgetRecord, Unit } from '../../src/exchange/caller.ts';
import { Taken } from '../../src/store/database.ts';
import type { Cases } from './kit.ts';

const team: Unit = { kind: 'team', id: 'search', name: 'Search', parent: 'org:acme', createdAt: 1 };

export const recordCases: Cases = {
  async 'keys are saved, replaced, and there after a start'({ open }) {
    const store = await open();
    const key = { id: 'k1', name: 'ci', hash: 'aa', hint: 'sk-tg-…', allowedModels: [], createdAt: 1 };
    await store.saveKey(key);
    await store.saveKey({ ...key, revokedAt: 5 });
    await assert.rejects(store.saveKey({ ...key, id: 'k2' }), Taken);
    await store.close();
    await assert.rejects(store.keys(), /closed/);
    assert.deepEqual(await (await open()).keys(), [{ ...key, revokedAt: 5 }]);
  },

  async 'units have a name of their own in their kind'({ open }) {
    const store = await open();
    const org: Unit = { kind: 'org', id: 'acme', name: 'Search', createdAt: 1 };
    await store.saveUnit(team);
    await store.saveUnit(org);
    await assert.rejects(store.saveUnit({ ...team, id: 'other' }), Taken);
    await store.saveUnit({ ...team, name: 'Finding', tier: 'gold' });
    await store.saveUnit({ ...team, id: 'other' });
    assert.deepEqual(await store.units(), [org, { ...team, id: 'other' }, { ...team, name: 'Finding', tier: 'gold' }]);
    assert.equal(await store.removeUnit({ kind: 'org', id: 'search' }), false);
    assert.equal(await store.removeUnit(team), true);
    assert.equal(await store.removeUnit(team), false);
    assert.deepEqual(
      (await (await open()).units()).map(({ id }) => id),
      ['acme', 'other'],
    );
  },

  async 'budgets are saved, replaced and removed'({ open }) {
    const store = await open();
    const budget: BudgetRecord = {
      id: 'b1',
      scope: 'team:search',
      limit: 5_000_000_000,
      per: 'day',
      timezone: 'Europe/Berlin',
      alertAt: [0.5, 1],
      createdAt: 1,
    };
    const raised: BudgetRecord = {
      ...budget,
      raise: { limit: 9_007_199_254_740_991, until: 7 },
      onExhausted: 'finish',
    };
    await store.saveBudget(budget);
    await store.saveBudget({ ...budget, id: 'b2', per: 'lifetime', soft: true });
    await store.saveBudget(raised);
    assert.deepEqual(await (await open()).budgets(), [raised, { ...budget, id: 'b2', per: 'lifetime', soft: true }]);
    assert.equal(await store.removeBudget('b1'), true);
    assert.equal(await store.removeBudget('b1'), false);
    assert.deepEqual(
      (await store.budgets()).map(({ id }) => id),
      ['b2'],
    );
  },
};
