// Cases of the contract: what was spent, and on what.

import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Receipt } from '../../src/exchange/receipt.ts';
import type { Store } from '../../src/store/store.ts';
import { receipt } from '../ledger.ts';
import { bytesOf, type Cases, dayMs, noon, total } from './kit.ts';

export const reportCases: Cases = {
  async 'what failed is counted as failed: no client that left, nothing that was refused, cut or killed'({
    segment,
    open,
  }) {
    const endings: readonly (readonly [Receipt['ending'], number])[] = [
      ['completed', 0],
      ['cancelled', 0],
      ['cut', 0],
      ['killed', 0],
      ['refused', 0],
      ['failed', 1],
      ['timed-out', 1],
      ['crashed', 1],
    ];
    writeFileSync(
      segment(1),
      bytesOf(...endings.map(([ending]) => receipt(ending, 1, { at: noon, keyId: ending, ending }))),
    );
    const store = await open();
    await store.catchUp();
    const rows = await store.spend({ by: ['key'] });
    assert.deepEqual(
      rows.map(({ keyId = '', failed }) => [keyId, failed]),
      endings.toSorted(([one], [other]) => (one < other ? -1 : 1)),
    );
    const { totals } = await store.costs({});
    assert.deepEqual([totals.requests, totals.failed], [8, 3]);
  },

  async 'spend adds up by every cut, and failed attempts show under their provider'({ segment, open }) {
    const wasted = { ...(receipt('x', 30).charges[0] as Receipt['charges'][number]), provider: 'other', model: 'big' };
    const served = { ...wasted, attempt: 2, provider: 'sim', model: 'small', cost: 12 };
    writeFileSync(
      segment(1),
      bytesOf(
        receipt('a', 42, { at: noon, charges: [wasted, served] }),
        receipt('b', 8, { at: noon + dayMs, keyId: 'k2', cache: 'miss' }),
        receipt('c', 0, { at: noon + dayMs, charges: [], cache: 'hit', saved: 8 }),
        receipt('d', 0, { at: noon + dayMs, charges: [], provider: '', model: '', ending: 'refused' }),
      ),
    );
    const store = await open();
    assert.equal(await total(store), 50);
    const costs = await store.costs({});
    assert.deepEqual(
      { ...costs.totals },
      {
        requests: 4,
        failed: 0,
        cost: 50,
        saved: 8,
        inputTokens: 30,
        outputTokens: 15,
        cacheHits: 1,
        cacheMisses: 1,
      },
    );
    assert.deepEqual(costs.byModel, [
      { provider: 'other', model: 'big', requests: 0, cost: 30 },
      { provider: 'sim', model: 'small', requests: 3, cost: 20 },
      { provider: '', model: '', requests: 1, cost: 0 },
    ]);
    const midnight = Date.parse('2026-03-05T00:00:00Z');
    assert.deepEqual(costs.byDay, [
      { at: midnight, requests: 1, cost: 42 },
      { at: midnight + dayMs, requests: 3, cost: 8 },
    ]);
    assert.deepEqual(
      (await store.spend({ by: ['key', 'day'], keyId: 'k2' })).map(({ at, keyId, cost }) => [at, keyId, cost]),
      [[midnight + dayMs, 'k2', 8]],
    );
    assert.deepEqual(
      (await store.spend({ from: noon + 1, to: noon + 1 })).map(({ cost }) => cost),
      [0],
    );
    assert.deepEqual(
      (await store.spend({ from: noon, to: noon + 3_600_000, by: ['hour'] })).map(({ cost }) => cost),
      [42],
    );
  },

  async 'requests come newest first, in pages'({ segment, open }) {
    writeFileSync(
      segment(1),
      bytesOf(...['a', 'b', 'c', 'd'].map((id) => receipt(id, 1, { keyId: id < 'c' ? 'k1' : 'k2' }))),
    );
    const store = await open();
    await store.catchUp();
    const ids = async (query: Parameters<Store['requests']>[0]) => (await store.requests(query)).map(({ id }) => id);
    assert.deepEqual(await ids({ limit: 3 }), ['d', 'c', 'b']);
    assert.deepEqual(await ids({ before: 'b' }), ['a']);
    assert.deepEqual(await ids({ keyId: 'k1' }), ['b', 'a']);
    assert.deepEqual(await ids({ ending: 'refused' }), []);
    assert.equal(await store.receipt('nobody'), undefined);
  },

  async 'forgotten receipts stay away, their sums stay'({ folder, segment, open }) {
    writeFileSync(segment(1), bytesOf(receipt('a', 1, { at: noon }), receipt('b', 2, { at: noon + dayMs })));
    const store = await open();
    await store.catchUp();
    assert.equal(await store.forget(noon + 1), 1);
    await store.close();
    // The segment is written anew and longer, so that it is read from its beginning.
    rmSync(segment(1));
    writeFileSync(
      join(folder, '000000000002.journal'),
      bytesOf(receipt('a', 1, { at: noon }), receipt('c', 4, { at: noon + dayMs })),
    );
    const again = await open();
    assert.equal(await total(again), 7);
    assert.equal(await again.receipt('a'), undefined);
  },
};
