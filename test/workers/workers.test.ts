// Real processes: workers that serve one port spend from one limit, whoever dies, comes again, or is no more.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { GatewayProcess } from '../gateway.ts';
import { chat, readerOf, readUntil, receiptsOf, tollgate } from '../lasting/tools.ts';
import { allReceipts, ask, house, journalFolders, openHolds, spent, until } from './kit.ts';

/** One answer of sim-small to "Hello", nano-USD. */
const answerCost = 248_000;
const small = { model: 'sim/sim-small', max_tokens: 40 };

async function status(gateway: Pick<GatewayProcess, 'url' | 'key'>, body = small): Promise<number> {
  const response = await chat(gateway, body, { connection: 'close' });
  await response.text();
  return response.status;
}

async function key(gateway: GatewayProcess, budget: string) {
  const wanted = { name: `of-${budget}`, budget: { limit: budget, per: 'lifetime' } };
  const made = await ask<{ id: string; key: string }>(gateway, 'POST', '/admin/keys', wanted);
  return { id: made.id, url: gateway.url, key: made.key };
}

/** The processes of the workers, as the operating system has them. */
function workersOf(gateway: GatewayProcess): number[] {
  const { pid } = gateway.process;
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
}

/** Slow streams, each on a connection of its own, as many as it takes until two workers have one. */
async function streamsOnBoth(gateway: GatewayProcess, caller: Pick<GatewayProcess, 'url' | 'key'>) {
  const readers: ReadableStreamDefaultReader<Uint8Array>[] = [];
  for (;;) {
    const asked = { model: 'sim/sim-slow', stream: true, max_tokens: 40 };
    const reader = readerOf(await chat(caller, asked, { connection: 'close' }));
    await readUntil(reader, 'data:');
    readers.push(reader);
    const { data } = await ask<{ data: { worker: number }[] }>(gateway, 'GET', '/admin/inflight');
    if (new Set(data.map(({ worker }) => worker)).size === 2) return readers;
  }
}

test('two workers never pass the small budget of one key, and spend nearly all of it', async (context) => {
  const { start, dataFolder } = house(context);
  const gateway = await start(2);
  const limit = 5_000_000;
  const caller = await key(gateway, '0.005');
  const seen = await Promise.all(Array.from({ length: 200 }, () => status(caller)));
  // What was refused while others held money finds what those gave back.
  for (let round = 0; round < 40 && spent(dataFolder) + 2 * answerCost < limit; round += 1) await status(caller);
  assert.deepEqual([...new Set(seen)].sort(), [200, 402]);
  assert.ok(spent(dataFolder) <= limit, `${spent(dataFolder)} of ${limit}`);
  assert.ok(spent(dataFolder) > limit / 2, `only ${spent(dataFolder)} of ${limit}`);
  const [first = '', second = ''] = journalFolders(dataFolder);
  assert.ok(spent(first) - spent(second) > 0, 'both have spent');
  assert.deepEqual(openHolds(dataFolder), []);
});

test('a worker killed under load comes again, nobody passes the limit, and the books are whole', async (context) => {
  const { start, dataFolder } = house(context);
  const gateway = await start(2);
  const limit = 30_000_000;
  const caller = await key(gateway, '0.03');
  let over = false;
  const lanes = Array.from({ length: 10 }, async () => {
    while (!over) await status(caller).catch(() => 0);
  });
  const [, victim = 0] = workersOf(gateway);
  await until(() => allReceipts(dataFolder).length > 20);
  process.kill(victim, 'SIGKILL');
  await until(() => /"event":"worker_back"/.test(gateway.log()));
  assert.equal(workersOf(gateway).includes(victim), false);
  const before = allReceipts(dataFolder).length;
  await until(async () => allReceipts(dataFolder).length > before || (await status(caller)) === 402);
  over = true;
  await Promise.all(lanes);
  assert.ok(spent(dataFolder) <= limit, `${spent(dataFolder)} of ${limit}`);
  assert.deepEqual(openHolds(dataFolder), []);
  const proved = await tollgate(['ledger', 'verify', '--url', gateway.url], { TOLLGATE_DATA: dataFolder });
  assert.deepEqual([proved.code, proved.err], [0, ''], proved.out);

  const [copy, restored] = [`${dataFolder}-copy`, `${dataFolder}-restored`];
  const made = await tollgate(['backup', copy], { TOLLGATE_DATA: dataFolder });
  assert.deepEqual([made.code, made.err], [0, '']);
  const put = await tollgate(['restore', copy], { TOLLGATE_DATA: restored });
  assert.deepEqual([put.code, put.err], [0, '']);
  assert.equal(spent(restored), spent(dataFolder), 'the journals of all workers came along');
});

test('a kill and a revocation act on all workers, whichever was told, and each shows what runs on both', async (context) => {
  const { start } = house(context);
  const gateway = await start(2);
  const caller = await key(gateway, '5');
  const streams = await streamsOnBoth(gateway, caller);
  for (let round = 0; round < 2; round += 1) {
    const { total, data } = await ask<{ total: number; data: { worker: number }[] }>(gateway, 'GET', '/admin/inflight');
    assert.equal(total, streams.length);
    assert.deepEqual([...new Set(data.map(({ worker }) => worker))].sort(), [1, 2]);
  }
  const killed = await ask<{ ended_here: number; others_told: boolean }>(gateway, 'POST', '/admin/kill', {
    key: caller.id,
  });
  assert.deepEqual([killed.ended_here < streams.length, killed.others_told], [true, true]);
  for (const reader of streams) assert.match(await readUntil(reader, 'killed'), /killed/);

  assert.deepEqual(await Promise.all([status(caller), status(caller)]), [200, 200]);
  await ask(gateway, 'DELETE', `/admin/keys/${caller.id}`);
  // Within a second everywhere (`npm run money -- R20` has the figures); from then on nobody is served.
  const six = async (): Promise<number[]> => Promise.all(Array.from({ length: 6 }, () => status(caller)));
  await until(async () => (await six()).every((each) => each === 401));
  assert.deepEqual([...new Set(await six())], [401]);

  const metrics = await (
    await fetch(`${gateway.url}/metrics`, { headers: { authorization: `Bearer ${gateway.adminToken}` } })
  ).text();
  const counted = [...metrics.matchAll(/^llm_proxy_request_total\{.*worker="(\d)"\} (\d+)$/gm)];
  assert.equal(
    counted.reduce((sum, [, , count]) => sum + Number(count), 0),
    allReceipts(gateway.dataFolder).length,
  );
});

test('one process, then three workers, two, and one again: what was spent stays spent, also what killed ones held', async (context) => {
  const { start, dataFolder } = house(context);
  const budgets = [{ scope: 'global', limit: '0.02', per: 'day' }];
  const limit = 20_000_000;
  const alone = await start(1, { budgets });
  for (let at = 0; at < 3; at += 1) assert.equal(await status(alone), 200);
  assert.equal(await alone.kill('SIGTERM'), 0);

  const both = await start(3, { budgets });
  const third = join(dataFolder, 'workers', '3');
  while (receiptsOf(third).length < 3) assert.equal(await status(both), 200);
  assert.ok(spent(dataFolder) >= 6 * answerCost);
  // Held by both when all die.
  const readers = await streamsOnBoth(both, both);
  assert.equal(openHolds(dataFolder).length, readers.length);
  await both.kill('SIGKILL');
  for (const reader of readers) await reader.cancel().catch(() => undefined);

  const fewer = await start(2, { budgets });
  assert.deepEqual(openHolds(dataFolder), [], 'closed at what was held');
  while ((await Promise.all(Array.from({ length: 6 }, () => status(fewer)))).includes(200));
  assert.ok(spent(dataFolder) <= limit, `${spent(dataFolder)} of ${limit}`);
  assert.equal(await fewer.kill('SIGTERM'), 0);

  const again = await start(1, { budgets });
  while ((await status(again)) === 200);
  assert.ok(spent(dataFolder) <= limit, `${spent(dataFolder)} of ${limit}`);
  const costs = await ask<{ total_requests: number }>(again, 'GET', '/admin/analytics/costs');
  assert.equal(
    costs.total_requests,
    allReceipts(dataFolder).length,
    'the reports have the rows of the worker that is gone',
  );
});

test('told to end, the parent lets what runs on every worker end', async (context) => {
  const { start, dataFolder } = house(context);
  const gateway = await start(2);
  const answers = Array.from({ length: 4 }, () => status(gateway, { model: 'sim/sim-slow', max_tokens: 10 }));
  await until(async () => (await ask<{ total: number }>(gateway, 'GET', '/admin/inflight')).total === 4);
  const code = gateway.kill('SIGTERM');
  assert.deepEqual(await Promise.all(answers), [200, 200, 200, 200]);
  assert.equal(await code, 0);
  assert.deepEqual(openHolds(dataFolder), []);
});
