import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { receipt } from '../../test/ledger.ts';
import { createTestDatabase, startPostgres } from '../../test/postgres.ts';
import { bytesOf, noon } from '../../test/store/kit.ts';
import { openStore, type Store, type StoreOptions } from './store.ts';

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-outage-'));
  context.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

const segment = (folder: string): string => join(folder, '000000000001.journal');

async function open(context: TestContext, options: StoreOptions): Promise<Store> {
  const store = await openStore(options);
  context.after(() => store.close());
  return store;
}

/** Catches up as soon as the store can. */
async function caughtUp(store: Store): Promise<void> {
  for (;;) {
    try {
      await store.catchUp();
      return;
    } catch (error) {
      assert.match(String(error), /connect|terminat|reset|closed|starting up|shutting down|recovery|reached|ended/i);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

test('F2: a PostgreSQL that dies again and again while the journal grows loses and doubles nothing', async (context) => {
  const server = await startPostgres();
  context.after(() => server.close());
  const folder = folderOf(context);
  const troubles: (string | undefined)[] = [];
  const store = await open(context, {
    storage: { kind: 'postgres', url: server.url },
    journalFolder: folder,
    instance: 'i1',
    onTrouble: (message) => troubles.push(message),
  });
  const batches = 60;
  const size = 200;
  for (let batch = 0; batch < batches; batch++) {
    const rows = Array.from({ length: size }, (_, index) =>
      receipt(`r${String(batch * size + index).padStart(6, '0')}`, 3, { at: noon + batch, keyId: `k${index % 7}` }),
    );
    appendFileSync(segment(folder), bytesOf(...rows));
    // In the middle of whatever it does just then.
    if (batch % 20 === 10) {
      void store.catchUp().catch(() => undefined);
      await server.crash();
      await assert.rejects(store.keys());
    } else if (batch % 20 === 15) await server.start();
    else if (batch % 20 < 10) await caughtUp(store);
  }
  await caughtUp(store);
  const { totals } = await store.costs({});
  assert.deepEqual([totals.requests, totals.cost], [batches * size, batches * size * 3]);
  assert.ok(troubles.some((message) => message !== undefined));
});

test('F5: six instances that add to the same sums in any order lose nothing', async (context) => {
  const { url, close } = await createTestDatabase();
  const stores: Store[] = [];
  context.after(async () => {
    for (const store of stores) await store.close();
    await close();
  });
  const [instances, rounds, keys] = [6, 5, 60];
  const folders = Array.from({ length: instances }, () => folderOf(context));
  for (const [index, journalFolder] of folders.entries()) {
    stores.push(await openStore({ storage: { kind: 'postgres', url }, journalFolder, instance: `i${index}` }));
  }
  for (let round = 0; round < rounds; round++) {
    for (const [instance, folder] of folders.entries()) {
      const rows = Array.from({ length: keys }, (_, index) => {
        // Another order in each instance and round.
        const key = (index * (instance * 2 + 7) + round) % keys;
        return receipt(`r${instance}-${round}-${index}`, 1, { at: noon, keyId: `k${key}` });
      });
      appendFileSync(segment(folder), bytesOf(...rows));
    }
    await Promise.all(stores.map((store) => store.catchUp()));
  }
  const { totals } = (await stores[0]?.costs({})) ?? {};
  assert.equal(totals?.cost, instances * rounds * keys);
  assert.deepEqual(
    stores.map((store) => store.trouble()),
    stores.map(() => undefined),
  );
  // What another instance has of the same exchange, from a restored backup, is the same exchange.
  appendFileSync(segment(folders[0] ?? ''), bytesOf(receipt('r1-0-0', 1, { at: noon })));
  await stores[0]?.catchUp();
  assert.equal((await stores[1]?.costs({}))?.totals.requests, instances * rounds * keys);
});

test('a worker that dies is started again, and what it did not do is done then', async (context) => {
  const folder = folderOf(context);
  const workers: Worker[] = [];
  const see = (message: unknown): void => void workers.push((message as { worker: Worker }).worker);
  subscribe('worker_threads', see);
  context.after(() => unsubscribe('worker_threads', see));
  const troubles: (string | undefined)[] = [];
  const store = await open(context, {
    storage: { kind: 'sqlite', file: join(folder, 'store.db') },
    journalFolder: folder,
    instance: 'i1',
    onTrouble: (message) => troubles.push(message),
  });
  for (let round = 1; round <= 3; round++) {
    writeFileSync(segment(folder), bytesOf(receipt(`r${round}`, 1, { at: noon })), { flag: 'a' });
    const asked = store.catchUp();
    const dying = workers.at(-1)?.terminate();
    await asked.catch(() => undefined);
    await dying;
    while (store.trouble() !== undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    await store.catchUp();
    assert.equal((await store.costs({})).totals.requests, round);
  }
  assert.equal(workers.length, 4);
  assert.match(troubles[0] ?? '', /died/);
  assert.equal(troubles.at(-1), undefined);
});
