// Cases of the contract: sums are the journal's, whatever was in it and however it came.

import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { CorrectionRow, Receipt } from '../../src/exchange/receipt.ts';
import type { SpendRow } from '../../src/exchange/spend.ts';
import type { Store } from '../../src/store/store.ts';
import { receipt } from '../ledger.ts';
import { bytesOf, type Cases, dayMs, noon, total } from './kit.ts';

const hourMs = 3_600_000;
const midnight = Date.parse('2026-03-05T00:00:00Z');

function correction(id: string, amount: number, more: Partial<CorrectionRow> = {}): CorrectionRow {
  return {
    type: 'correction',
    id,
    at: noon + 5 * dayMs,
    day: '2026-03-05',
    provider: 'sim',
    model: 'small',
    amount,
    reason: 'a costs export',
    accounts: [],
    ...more,
  };
}

/** Deterministic, over four days, some keys, providers and models. */
function various(count: number): Receipt[] {
  return Array.from({ length: count }, (_, index) =>
    receipt(`0${String(index).padStart(6, '0')}`, (index * 7919) % 1000, {
      at: midnight + ((index * 2_654_435_761) % (4 * dayMs)),
      keyId: `k${index % 3}`,
      provider: index % 2 ? 'sim' : 'other',
      model: `m${index % 5}`,
      ending: index % 11 === 0 ? 'cut' : 'completed',
      cache: index % 13 === 0 ? 'hit' : 'off',
    }),
  );
}

async function everyCut(store: Store): Promise<readonly SpendRow[]> {
  await store.catchUp();
  return [
    ...(await store.spend({ by: ['hour', 'key', 'provider', 'model'] })),
    ...(await store.spend({ by: ['day', 'key', 'provider', 'model'] })),
  ].map((row) => ({ ...row }));
}

export const rollupCases: Cases = {
  async 'F7: sums that grew row by row are those of the journal read anew'({ folder, segment, open }) {
    const rows = [
      ...various(700),
      correction('c1', -5),
      correction('c2', 7, { receipt: '0000006', day: '2026-03-06', model: 'm1' }),
      correction('c1', -5),
    ];
    const store = await open();
    for (let at = 0; at < rows.length; at += 100) {
      appendFileSync(segment(1 + Math.floor(at / 300)), bytesOf(...rows.slice(at, at + 100)));
      if (at % 200 === 0) await store.catchUp();
    }
    const anew = await open({ storage: { kind: 'sqlite', file: join(folder, 'anew.db') } });
    const sums = await everyCut(store);
    assert.deepEqual(sums, await everyCut(anew));
    assert.equal(
      sums.reduce((sum, { cost }) => sum + cost, 0),
      2 * (various(700).reduce((sum, { cost }) => sum + cost, 0) + 2),
    );
  },

  async 'any span of hours adds up, whole days and edges'({ segment, open }) {
    const all = various(400);
    writeFileSync(segment(1), bytesOf(...all));
    const store = await open();
    await store.catchUp();
    const hour = fc.option(fc.integer({ min: -2, max: 100 }), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(hour, hour, fc.boolean(), async (first, last, byDay) => {
        const from = first === undefined ? undefined : midnight + first * hourMs;
        const to = last === undefined ? undefined : midnight + last * hourMs;
        const within = all.filter(({ at }) => at >= (from ?? 0) && at < (to ?? Number.MAX_SAFE_INTEGER));
        const span = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
        const rows = await store.spend({ ...span, by: byDay ? ['day'] : [] });
        const days = new Map<number, number>();
        for (const { at, cost } of within) days.set(at - (at % dayMs), (days.get(at - (at % dayMs)) ?? 0) + cost);
        if (byDay) assert.deepEqual(new Map(rows.map(({ at = 0, cost }) => [at, cost])), new Map([...days].sort()));
        else
          assert.equal(
            rows[0]?.cost,
            within.reduce((sum, { cost }) => sum + cost, 0),
          );
      }),
      { seed: 5, numRuns: 60 },
    );
  },

  async 'a correction counts once, under its day and key, and takes away as well as it adds'({ segment, open }) {
    const store = await open();
    writeFileSync(
      segment(1),
      bytesOf(
        receipt('a', 100, { at: noon, keyId: 'k7' }),
        correction('c1', -30, { receipt: 'a' }),
        correction('c2', 4, { accounts: [{ scope: 'key:k8', window: 'day/UTC/x' }] }),
        correction('c3', 1, { day: '2026-03-09', provider: 'other' }),
      ),
    );
    assert.equal(await total(store), 75);
    appendFileSync(segment(1), bytesOf(correction('c1', -30, { receipt: 'a' }), receipt('b', 1, { at: noon })));
    assert.equal(await total(store), 76);
    const costs = await store.costs({});
    assert.equal(costs.totals.requests, 2);
    assert.deepEqual(
      costs.byKey.map(({ keyId, cost }) => [keyId, cost]),
      [
        ['k7', 70],
        ['k8', 4],
        ['k1', 1],
        ['', 1],
      ],
    );
    assert.deepEqual(
      costs.byDay.map(({ at, cost }) => [new Date(at).toISOString().slice(0, 10), cost]),
      [
        ['2026-03-05', 75],
        ['2026-03-09', 1],
      ],
    );
  },

  async 'F1: no row stops the reader, whatever stands in it'({ segment, open }) {
    const store = await open();
    const hostile: Partial<Receipt>[] = [
      { model: 'a\0b', provider: '\ud800', keyId: 'k\0' },
      { model: 'x'.repeat(100_000), provider: 'y'.repeat(100_000), keyId: 'z'.repeat(100_000) },
      { model: 'x'.repeat(100_001), provider: 'y'.repeat(100_000), keyId: 'z'.repeat(100_000) },
      { model: "'; DROP TABLE receipts; --", asked: '$1 ? {} \\ "', code: '\0\ud800' },
      { cost: Number.NaN, saved: Number.POSITIVE_INFINITY, at: noon },
      { cost: 1e300, charges: [], ending: 'cancelled' },
      { model: '', provider: '', keyId: '' },
    ];
    const rows = hostile.map((more, index) => receipt(`h${index}`, 1, { at: noon, ...more }));
    writeFileSync(segment(1), bytesOf(...rows, receipt('good', 5, { at: noon + dayMs })));
    await store.catchUp();
    assert.equal(store.trouble(), undefined);
    assert.equal((await store.requests({})).length, hostile.length + 1);
    assert.equal((await store.costs({ from: midnight + dayMs })).totals.cost, 5);
  },

  async 'F3: ten thousand keys in one reading are ten thousand rows'({ segment, open }) {
    const all = Array.from({ length: 10_000 }, (_, index) =>
      receipt(`r${String(index).padStart(5, '0')}`, index, { at: noon, keyId: `k${index}` }),
    );
    writeFileSync(segment(1), bytesOf(...all));
    const store = await open();
    assert.equal(await total(store), (9_999 * 10_000) / 2);
    const rows = await store.spend({ by: ['key'] });
    assert.equal(rows.length, 10_000);
    assert.ok(rows.every(({ keyId, cost }) => keyId === `k${cost}`));
  },

  async 'forgetting goes in steps and stops where nothing is old'({ segment, open }) {
    const all = Array.from({ length: 9_000 }, (_, index) =>
      receipt(`r${String(index).padStart(5, '0')}`, 1, {
        at: noon + index,
        ...(index % 1000 ? {} : { ending: 'cut' }),
      }),
    );
    writeFileSync(segment(1), bytesOf(...all));
    const store = await open();
    await store.catchUp();
    assert.deepEqual(
      (await store.requests({ ending: 'cut' })).map(({ id }) => id),
      [8, 7, 6, 5, 4, 3, 2, 1, 0].map((thousand) => `r0${thousand}000`),
    );
    assert.equal(await store.forget(noon + 5_000), 5_000);
    assert.equal(await store.forget(noon + 5_000), 0);
    assert.equal((await store.requests({ limit: 1000, before: 'r05003' })).length, 3);
    assert.equal(await total(store), 9_000);
  },
};
