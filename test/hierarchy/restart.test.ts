// Units, owners, claims and budgets outlive the process; a file that collides with them keeps it from starting, and says how to go on.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startGateway } from '../gateway.ts';
import { tollgate } from '../lasting/tools.ts';

test('what was made holds after a restart, against a file that declares it too as well', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-restart-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const dataFolder = join(folder, 'data');
  const config = { providers: { sim: {} }, budgets: [] as unknown[] };
  const first = await startGateway({ config, dataFolder });
  const admin = async (url: string, method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${first.adminToken}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    assert.ok(response.ok, `${path}: ${response.status}`);
    return (await response.json()) as Record<string, unknown>;
  };
  await admin(first.url, 'POST', '/admin/units', { kind: 'team', id: 'search' });
  const { key } = await admin(first.url, 'POST', '/admin/keys', {
    name: 'ann',
    owner: 'team:search',
    claims: { pin: { run: 'nightly' } },
  });
  const made = await admin(first.url, 'POST', '/admin/budgets', { scope: 'run:nightly', limit: 0, per: 'lifetime' });
  await first.kill('SIGKILL');

  const second = await startGateway({ config, dataFolder });
  const refused = await fetch(`${second.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: 'sim/sim-small', messages: [{ role: 'user', content: 'Hello' }] }),
  });
  assert.equal(refused.status, 402);
  assert.match(await refused.text(), /run:nightly/);
  await second.kill('SIGTERM');

  const colliding = { ...config, budgets: [{ scope: 'run:nightly', limit: 5, per: 'lifetime' }] };
  await assert.rejects(startGateway({ config: colliding, dataFolder }), (error: Error) => {
    assert.match(error.message, new RegExp(`:\\d+: budgets\\[0\\]: .*tollgate budget remove ${made.id}`));
    return true;
  });
  const removed = await tollgate(['budget', 'remove', String(made.id), '--offline'], { TOLLGATE_DATA: dataFolder });
  assert.equal(removed.code, 0, removed.err);
  const third = await startGateway({ config: colliding, dataFolder });
  const { data } = await admin(third.url, 'GET', '/admin/units');
  assert.equal((data as { keys: number }[])[0]?.keys, 1);
  for (const gateway of [first, second, third]) await gateway.close();
});
