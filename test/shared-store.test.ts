// Real gateway processes on one PostgreSQL: what one is told all know, and what they know outlives the database.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type GatewayProcess, startGateway } from './gateway.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';

const adminToken = 'an-admin-token-of-this-test';

interface House {
  readonly server: PostgresServer;
  start(folder: string): Promise<GatewayProcess>;
}

async function house(context: TestContext): Promise<House> {
  const server = await startPostgres();
  const home = mkdtempSync(join(tmpdir(), 'tollgate-shared-'));
  const gateways: GatewayProcess[] = [];
  context.after(async () => {
    for (const gateway of gateways) await gateway.close();
    await server.close();
    rmSync(home, { recursive: true });
  });
  return {
    server,
    async start(folder) {
      const gateway = await startGateway({
        config: { storage: { url: 'env:STORE_URL' }, providers: { sim: {} }, budgets: [] },
        environment: { STORE_URL: server.url, TOLLGATE_ADMIN_TOKEN: adminToken },
        dataFolder: join(home, folder),
      });
      gateways.push(gateway);
      return gateway;
    },
  };
}

async function ask(gateway: GatewayProcess, key: string): Promise<{ status: number; code: string }> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'sim/sim-small', messages: [{ role: 'user', content: 'Hello' }] }),
  });
  const body = (await response.json()) as { error?: { code?: string } };
  return { status: response.status, code: body.error?.code ?? '' };
}

async function admin(gateway: GatewayProcess, method: string, path: string, body?: unknown): Promise<Response> {
  return fetch(`${gateway.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${adminToken}`,
      'content-type': 'application/json',
      'x-tollgate-admin': '1',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function makeKey(gateway: GatewayProcess, name: string): Promise<{ id: string; key: string }> {
  const response = await admin(gateway, 'POST', '/admin/keys', { name });
  assert.equal(response.status, 201);
  return (await response.json()) as { id: string; key: string };
}

/** Asks until the answer fits: the test's own time limit is the bound. */
async function until<Answer>(question: () => Promise<Answer>, fits: (answer: Answer) => boolean): Promise<Answer> {
  for (;;) {
    const answer = await question();
    if (fits(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function readiness(gateway: GatewayProcess): Promise<unknown> {
  return (await fetch(`${gateway.url}/readyz`)).json();
}

async function requests(gateway: GatewayProcess): Promise<number> {
  const response = await admin(gateway, 'GET', '/admin/analytics/costs');
  return ((await response.json()) as { total_requests?: number }).total_requests ?? -1;
}

test('G6: keys made and revoked anywhere hold everywhere; without the database known ones serve, unknown ones are told to wait', {
  timeout: 120_000,
}, async (context) => {
  const { server, start } = await house(context);
  const one = await start('one');
  const other = await start('other');
  const [good, bad, late] = [await makeKey(one, 'good'), await makeKey(one, 'bad'), await makeKey(other, 'late')];
  for (const { key } of [good, bad, late]) {
    await until(
      () => ask(other, key),
      ({ status }) => status === 200,
    );
    await until(
      () => ask(one, key),
      ({ status }) => status === 200,
    );
  }
  assert.equal((await admin(other, 'DELETE', `/admin/keys/${bad.id}`)).status, 200);
  await until(
    () => ask(one, bad.key),
    ({ status }) => status === 401,
  );
  assert.deepEqual(await ask(one, 'sk-tg-nobody'), { status: 401, code: 'invalid_key' });
  const served = (await until(
    () => requests(one),
    (count) => count >= 6,
  )) as number;

  await server.crash();
  await until(
    () => readiness(other),
    (answer) => (answer as { status: string }).status === 'degraded',
  );
  assert.equal((await fetch(`${other.url}/readyz`)).status, 200);
  for (let count = 0; count < 5; count++) assert.equal((await ask(other, good.key)).status, 200);
  assert.deepEqual(await ask(other, 'sk-tg-nobody'), { status: 503, code: 'budget_unavailable' });
  assert.equal((await ask(other, bad.key)).status, 401);

  // A start while it is away: from the sealed copy.
  assert.equal(await other.kill('SIGTERM'), 0);
  const again = await start('other');
  // Known, but the bank gives no money to a process that it has never met: come again, not who are you.
  for (const { key } of [good, late]) assert.notEqual((await ask(again, key)).code, 'invalid_key');
  assert.equal((await ask(again, bad.key)).status, 401);
  assert.deepEqual(await ask(again, 'sk-tg-nobody'), { status: 503, code: 'budget_unavailable' });
  assert.ok(!again.log().includes(server.url), 'the address with its password stands in the log');

  await server.start();
  await until(
    () => readiness(again),
    (answer) => (answer as { status: string }).status === 'ready',
  );
  await until(
    () => ask(again, 'sk-tg-nobody'),
    ({ status }) => status === 401,
  );
  await until(
    () => ask(again, good.key),
    ({ status }) => status === 200,
  );
  const fresh = await makeKey(again, 'fresh');
  await until(
    () => ask(one, fresh.key),
    ({ status }) => status === 200,
  );
  // Both journals were the spool: what was served while it was away is in the reports of either.
  await until(
    () => requests(one),
    (count) => count >= served + 7,
  );
});
