import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startGateway } from '../gateway.ts';
import { startLoad } from './load.ts';
import { admin, chat, tollgate } from './tools.ts';
import { configFor, startUpstream } from './upstream.ts';

interface Verdict {
  readonly ok: boolean;
  readonly receipts: number;
  readonly priced: number;
  readonly open: number;
  readonly differences: readonly { promise: string; what: string }[];
}

test('the books of a gateway at work are proved while it works, after kill -9 without it, and a changed amount is named', async (context) => {
  const place = mkdtempSync(join(tmpdir(), 'tollgate-verify-'));
  const dataFolder = join(place, 'data');
  const upstream = await startUpstream({ name: 'up' });
  const config = configFor(upstream, {
    budgets: [
      { scope: 'global', limit: '1000 USD', per: 'month' },
      { scope: 'key:*', limit: '900 USD', per: 'day' },
      { scope: 'provider:up', limit: '900 USD', per: 'lifetime' },
    ],
  });
  const gateway = await startGateway({ config, dataFolder });
  context.after(async () => {
    await gateway.close();
    await upstream.close();
    rmSync(place, { recursive: true, force: true });
  });
  const environment = { TOLLGATE_DATA: dataFolder, TOLLGATE_CONFIG: gateway.configFile };
  const prove = async (...options: string[]): Promise<Verdict & { code: number | null }> => {
    const { code, out, err } = await tollgate(['ledger', 'verify', '--json', ...options], environment);
    assert.match(out, /^\{/, err);
    return { ...(JSON.parse(out) as Verdict), code };
  };

  await (await chat(gateway, { model: 'up/fast' })).text();
  const load = startLoad(gateway, 4, Math.random);
  for (let time = 0; time < 2; time++) {
    const live = await prove('--url', gateway.url);
    assert.deepEqual(live.differences, []);
    assert.deepEqual([live.ok, live.code], [true, 0]);
    assert.ok(live.receipts > 0 && live.priced > 0);
  }
  await gateway.kill('SIGKILL');
  await load.over;

  const { code, out } = await tollgate(['ledger', 'verify', '--offline'], environment);
  assert.match(out, /0 open holds/);
  assert.doesNotMatch(out, /\b1 (?:rows|files|receipts|corrections|open holds|accounts|charges|differences)\b/);
  assert.match(out, /^OK$/m);
  assert.equal(code, 0);

  const other = await startGateway();
  context.after(() => other.close());
  const foreign = await tollgate(['ledger', 'verify', '--url', other.url], {
    ...environment,
    TOLLGATE_ADMIN_TOKEN: other.adminToken,
  });
  assert.deepEqual([foreign.code, foreign.out], [1, '']);
  assert.match(foreign.err, /no gateway has .* open, so http.* serves another folder/);

  // Somebody lowers what was charged, and mends nothing else: the checksum tells.
  const folder = join(dataFolder, 'journal');
  const file = join(folder, readdirSync(folder)[0] ?? '');
  const text = readFileSync(file, 'latin1');
  assert.ok(text.includes('"output":12,'));
  writeFileSync(file, text.replace('"output":12,', '"output":11,'), 'latin1');
  const after = await prove('--offline');
  assert.deepEqual([after.ok, after.code], [false, 1]);
  assert.ok(after.differences.some(({ promise }) => promise === 'journal'));
});

test('the ledger is shown to the admin token alone', async () => {
  const gateway = await startGateway();
  try {
    const answer = await admin<{ segment: string; accounts: unknown[] }>(gateway, '/admin/ledger');
    assert.equal(answer.segment, '000000000001.journal');
    const refused = await fetch(`${gateway.url}/admin/ledger`, { headers: { authorization: `Bearer ${gateway.key}` } });
    assert.equal(refused.status, 401);
  } finally {
    await gateway.close();
  }
});
