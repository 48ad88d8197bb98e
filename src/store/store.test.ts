import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { receipt } from '../../test/ledger.ts';
import { encodeRow } from '../exchange/journal.ts';
import type { Receipt } from '../exchange/receipt.ts';
import { openStore, type Store } from './store.ts';

const noon = Date.parse('2026-03-05T12:00:00Z');
const dayMs = 86_400_000;

interface Place {
  folder: string;
  segment(number: number): string;
  open(): Promise<Store>;
}

function place(context: TestContext): Place {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-store-'));
  const open: Store[] = [];
  context.after(async () => {
    for (const store of open) await store.close();
    rmSync(folder, { recursive: true });
  });
  return {
    folder,
    segment: (number) => join(folder, `${String(number).padStart(12, '0')}.journal`),
    async open() {
      const store = await openStore({ journalFolder: folder, file: join(folder, 'store.db') });
      open.push(store);
      return store;
    },
  };
}

function bytesOf(...receipts: Receipt[]): Buffer {
  return Buffer.concat(receipts.map((each) => encodeRow({ type: 'receipt', receipt: each })));
}

async function total(store: Store): Promise<number> {
  await store.catchUp();
  return (await store.costs({})).totals.cost;
}

test('what is in the journal is in the store, once, whoever reads it again', async (context) => {
  const { segment, open } = place(context);
  const some = Array.from({ length: 500 }, (_, index) =>
    receipt(`r${String(index).padStart(4, '0')}`, index, { at: noon + index }),
  );
  writeFileSync(segment(1), bytesOf(...some.slice(0, 300)));
  writeFileSync(segment(2), bytesOf(...some.slice(300)));
  const store = await open();
  const sum = some.reduce((all, each) => all + each.cost, 0);
  assert.equal(await total(store), sum);
  assert.deepEqual(await store.receipt('r0007'), some[7]);
  await store.close();
  appendFileSync(segment(2), bytesOf(...some.slice(0, 50), receipt('s', 1000, { at: noon })));
  const again = await open();
  assert.equal(await total(again), sum + 1000);
  assert.equal((await again.costs({})).totals.requests, 501);
});

test('a journal cut at any byte of its last row is waited for, then read whole', async (context) => {
  const { segment, open } = place(context);
  const last = bytesOf(receipt('b', 7, { at: noon }));
  const store = await open();
  writeFileSync(segment(1), bytesOf(receipt('a', 5, { at: noon })));
  for (let at = 0; at < last.length; at++) {
    assert.equal(await total(store), 5, `with ${at} bytes`);
    appendFileSync(segment(1), last.subarray(at, at + 1));
  }
  assert.equal(await total(store), 12);
});

test('a torn tail before a new segment, and damage in the middle, do not stop the reader', async (context) => {
  const { segment, open } = place(context);
  const [first, broken, third] = [bytesOf(receipt('a', 1)), bytesOf(receipt('b', 10)), bytesOf(receipt('c', 100))];
  broken[30] = (broken[30] ?? 0) ^ 1;
  writeFileSync(segment(1), Buffer.concat([first, broken, third, first.subarray(0, 40)]));
  writeFileSync(segment(2), bytesOf(receipt('d', 1000)));
  assert.equal(await total(await open()), 1101);
});

test('a journal that lost its end to a power cut and grew again is read from its segment on', async (context) => {
  const { segment, open } = place(context);
  writeFileSync(segment(1), bytesOf(receipt('a', 1), receipt('b', 10)));
  const store = await open();
  assert.equal(await total(store), 11);
  await store.close();
  truncateSync(segment(1), bytesOf(receipt('a', 1)).length);
  appendFileSync(segment(1), bytesOf(receipt('a much longer one', 100), receipt('d', 1000)));
  assert.equal(await total(await open()), 1111);
});

test('spend adds up by every cut, and failed attempts show under their provider', async (context) => {
  const { segment, open } = place(context);
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
      failed: 1,
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
});

test('requests come newest first, in pages', async (context) => {
  const { segment, open } = place(context);
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
});

test('keys are saved, replaced, and there after a start', async (context) => {
  const { open } = place(context);
  const store = await open();
  const key = { id: 'k1', name: 'ci', hash: 'aa', hint: 'sk-tg-…', allowedModels: [], createdAt: 1 };
  await store.saveKey(key);
  await store.saveKey({ ...key, revokedAt: 5 });
  await assert.rejects(store.saveKey({ ...key, id: 'k2' }), /UNIQUE/);
  await store.close();
  await assert.rejects(store.keys(), /closed/);
  assert.deepEqual(await (await open()).keys(), [{ ...key, revokedAt: 5 }]);
});

test('forgotten receipts stay away, their sums stay', async (context) => {
  const { folder, segment, open } = place(context);
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
});

test('a nudge brings new rows in by itself', async (context) => {
  const { segment, open } = place(context);
  const store = await open();
  writeFileSync(segment(1), bytesOf(receipt('a', 1)));
  store.nudge();
  store.nudge();
  while (!(await store.receipt('a'))) await new Promise((resolve) => setImmediate(resolve));
});

test('a file that is no database is one clear error', async (context) => {
  const { folder, open } = place(context);
  writeFileSync(join(folder, 'store.db'), 'this is no database at all, and long enough to be looked at'.repeat(20));
  await assert.rejects(open(), /not a database/);
});
