// Costs that no request made, in every database: once by their id, found by their days, gone when they are removed.

import assert from 'node:assert/strict';
import type { OtherCost } from '../../src/exchange/spend.ts';
import type { Cases } from './kit.ts';

const cost = (id: string, from: string, to: string): OtherCost => ({
  id,
  from,
  to,
  amount: 2 ** 53 - 1,
  kind: 'training',
  provider: '',
  note: "it's",
  tags: { team: 'a' },
});

export const otherCostCases: Cases = {
  async 'other costs: once by id, by the days they touch, removed'({ open }) {
    const store = await open();
    const [january, day] = [cost('a', '2026-01-01', '2026-01-31'), cost('b', '2026-02-03', '2026-02-03')];
    assert.equal(await store.addOtherCosts([january, day]), 2);
    assert.equal(await store.addOtherCosts([day]), 0);
    assert.deepEqual(await store.otherCosts({}), [january, day]);
    assert.deepEqual(await store.otherCosts({ from: Date.parse('2026-01-31T23:00Z') }), [january, day]);
    assert.deepEqual(await store.otherCosts({ from: Date.parse('2026-02-01'), to: Date.parse('2026-02-03') }), []);
    assert.deepEqual(await store.otherCosts({ from: Date.parse('2026-02-03'), to: Date.parse('2026-02-04') }), [day]);
    assert.equal(await store.removeOtherCost('a'), true);
    assert.equal(await store.removeOtherCost('a'), false);
    assert.deepEqual(await store.otherCosts({}), [day]);
  },
};
