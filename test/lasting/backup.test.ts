import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startGateway } from '../gateway.ts';
import { startLoad } from './load.ts';
import { admin, chat, receiptsOf, tollgate } from './tools.ts';
import { configFor, startUpstream } from './upstream.ts';

test('a backup made under load is a whole beginning of the books, and a gateway serves on from it', async (context) => {
  const place = mkdtempSync(join(tmpdir(), 'tollgate-backup-'));
  const [dataFolder, backup, restored] = ['data', 'backup', 'restored'].map((name) => join(place, name)) as [
    string,
    string,
    string,
  ];
  const upstream = await startUpstream({ name: 'up' });
  const config = configFor(upstream);
  const gateway = await startGateway({ config, dataFolder });
  context.after(async () => {
    await gateway.close();
    await upstream.close();
    rmSync(place, { recursive: true, force: true });
  });
  const on = (folder: string) => ({ TOLLGATE_DATA: folder, TOLLGATE_CONFIG: gateway.configFile });

  await (await chat(gateway, { model: 'up/fast' })).text();
  const load = startLoad(gateway, 4, Math.random);
  const made = await tollgate(['backup', backup], on(dataFolder));
  assert.deepEqual([made.code, made.err], [0, '']);
  assert.match(made.out, /^OK$/m);
  assert.equal(statSync(backup).mode & 0o077, 0, 'it holds secrets');
  for (const name of readdirSync(backup)) assert.equal(statSync(join(backup, name)).mode & 0o077, 0, name);

  const again = await tollgate(['backup', backup], on(dataFolder));
  assert.deepEqual([again.code, /not empty/.test(again.err)], [1, true]);
  const inUse = await tollgate(['restore', backup], on(dataFolder));
  assert.deepEqual([inUse.code, /in use by a running gateway/.test(inUse.err)], [1, true]);
  await gateway.kill('SIGKILL');
  await load.over;
  const full = await tollgate(['restore', backup], on(dataFolder));
  assert.deepEqual([full.code, /is there already/.test(full.err)], [1, true]);

  const put = await tollgate(['restore', backup], on(restored));
  assert.deepEqual([put.code, put.err], [0, '']);
  const kept = new Set(receiptsOf(restored).map(({ id }) => id));
  assert.ok(kept.size > 0);
  const all = receiptsOf(dataFolder).map(({ id }) => id);
  assert.deepEqual(all.slice(0, kept.size), [...kept], 'a beginning, without a gap');

  const next = await startGateway({ config, dataFolder: restored });
  try {
    // The key of then opens it: the pepper and the store came along.
    const answer = await chat({ url: next.url, key: gateway.key }, { model: 'up/fast' });
    assert.equal(answer.status, 200);
    await answer.text();
    const costs = await admin<{ total_requests: number }>(next, '/admin/analytics/costs');
    assert.equal(costs.total_requests, receiptsOf(restored).length);
    const proved = await tollgate(['ledger', 'verify', '--url', next.url], on(restored));
    assert.equal(proved.code, 0, proved.out);
  } finally {
    await next.close();
  }

  const segment = readdirSync(join(backup, 'journal'))[0] ?? '';
  appendFileSync(join(backup, 'journal', segment), 'x');
  const other = join(place, 'other');
  const spoiled = await tollgate(['restore', backup], on(other));
  assert.deepEqual([spoiled.code, /checksum differs/.test(spoiled.err)], [1, true]);
  assert.equal(existsSync(join(other, 'journal')), false);
});
