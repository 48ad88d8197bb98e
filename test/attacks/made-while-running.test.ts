// Budgets that are made while a stream runs: it stands on them from its next top-up, and they survive the process.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type GatewayProcess, startGateway } from '../gateway.ts';
import { startUpstream, type Upstream } from '../upstream.ts';

let upstream: Upstream;
let gateway: GatewayProcess;
const folder = mkdtempSync(join(tmpdir(), 'tollgate-made-'));
const start = (): Promise<GatewayProcess> =>
  startGateway({
    dataFolder: join(folder, 'data'),
    config: {
      providers: {
        chat: { ...(upstream.providers.chat as object), billing: { abort_stops: true, low_water: 64 } },
      },
      prices: { 'chat/*': { input: 1, output: 10 } },
      budgets: [{ scope: 'global', limit: '100 USD', per: 'day' }],
    },
  });

before(async () => {
  upstream = await startUpstream();
  gateway = await start();
});
after(async () => {
  await gateway.close();
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

async function admin(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(gateway.url + path, {
    method,
    headers: { authorization: `Bearer ${gateway.adminToken}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return (await response.json()) as Record<string, unknown>;
}

interface Account {
  readonly scope: string;
  readonly posted: number;
  readonly held: number;
}

async function accountOf(scope: string): Promise<Account | undefined> {
  const { data } = (await admin('GET', '/admin/budgets')) as { data: Account[] };
  return data.find((each) => each.scope === scope);
}

/** An endless stream of a new key; `act` is done once its first bytes are there. Resolves with the key and all that came. */
async function streamWhile(act: (keyId: string) => Promise<unknown>): Promise<{ keyId: string; text: string }> {
  const { id, key } = (await admin('POST', '/admin/keys', { name: 'runs' })) as { id: string; key: string };
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'chat/gpt-endless', stream: true, messages: [{ role: 'user', content: 'Write.' }] }),
    signal: AbortSignal.timeout(15_000),
  });
  const decoder = new TextDecoder();
  let text = '';
  let acted = false;
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (!acted) await act(id);
    acted = true;
  }
  return { keyId: id, text };
}

const limit = '0.02 USD';

test('a stream is cut by a budget that was made while it ran, and posted to it, over a SIGKILL too', async () => {
  const { keyId, text } = await streamWhile((id) =>
    admin('POST', '/admin/budgets', { scope: `key:${id}`, limit, per: 'day' }),
  );
  assert.match(text, /budget_exceeded/);
  const scope = `key:${keyId}`;
  const account = await accountOf(scope);
  assert.ok(account && account.held === 0 && account.posted > 0 && account.posted <= 0.02, JSON.stringify(account));
  assert.equal(account.posted, (await accountOf('global'))?.posted);
  await gateway.kill('SIGKILL');
  await gateway.close();
  gateway = await start();
  assert.deepEqual(await accountOf(scope), account);
});

test('a key whose budget gets another window while its stream runs is held to the new one', async () => {
  const { keyId, text } = await streamWhile((id) =>
    admin('PATCH', `/admin/keys/${id}`, { budget: { limit, per: 'month' } }),
  );
  assert.match(text, /budget_exceeded/);
  const { text: again } = await streamWhile((id) =>
    admin('POST', '/admin/budgets', { scope: 'model:chat/gpt-endless', limit: '0.01 USD', per: 'lifetime' }).then(() =>
      assert.notEqual(id, keyId),
    ),
  );
  assert.match(again, /budget_exceeded/);
  const model = await accountOf('model:chat/gpt-endless');
  assert.ok(model && model.held === 0 && model.posted > 0 && model.posted <= 0.02, JSON.stringify(model));
});
