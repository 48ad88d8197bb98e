import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type GatewayProcess, startGateway } from './gateway.ts';

let gateway: GatewayProcess;

before(async () => {
  gateway = await startGateway();
});
after(() => gateway.close());

const ask = (body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

const hello = { model: 'sim/sim-small', messages: [{ role: 'user', content: 'Hello' }] };

test('without any configuration the built-in provider answers, with its cost', async () => {
  const response = await ask(hello);
  assert.equal(response.status, 200);
  const answer = (await response.json()) as { choices: { message: { content: string } }[]; usage: { cost: number } };
  assert.match(answer.choices[0]?.message.content ?? '', /Hello/);
  assert.ok(answer.usage.cost > 0);
  assert.equal(response.headers.get('x-tollgate-provider'), 'sim');
  assert.equal(Number(response.headers.get('x-tollgate-cost')), answer.usage.cost);
});

test('a stream ends with its usage, its cost and the terminator', async () => {
  const response = await ask({ ...hello, stream: true, stream_options: { include_usage: true } });
  const text = await response.text();
  assert.match(text, /"usage":\{"cost":0\.\d+/);
  assert.ok(text.endsWith('data: [DONE]\n\n'));
});

test('the receipt, the metrics and the spend agree to the nano-dollar', async () => {
  const admin = (path: string) =>
    fetch(`${gateway.url}${path}`, { headers: { authorization: `Bearer ${gateway.adminToken}` } });
  const costs = (await (await admin('/admin/analytics/costs')).json()) as {
    total_cost: number;
    total_requests: number;
  };
  const metrics = await (await admin('/metrics')).text();
  const counted = [...metrics.matchAll(/^llm_proxy_cost_total\{[^}]*\} (\S+)$/gm)].reduce(
    (sum, [, usd]) => sum + Number(usd),
    0,
  );
  assert.ok(costs.total_requests >= 2);
  assert.equal(Math.round(Number(costs.total_cost) * 1e9), Math.round(counted * 1e9));
});

test('a wrong key, a wrong path and no key are refused in the format of the client', async () => {
  const wrong = await ask(hello, { authorization: 'Bearer sk-tg-wrong' });
  assert.equal(wrong.status, 401);
  assert.equal(((await wrong.json()) as { error: { code: string } }).error.code, 'invalid_key');
  const anthropic = await fetch(`${gateway.url}/v1/messages`, { method: 'POST', body: '{}' });
  assert.equal(anthropic.status, 401);
  assert.equal(((await anthropic.json()) as { type: string }).type, 'error');
  const nowhere = await fetch(`${gateway.url}/v1/nowhere`, { method: 'POST', body: '{}' });
  assert.equal(nowhere.status, 404);
});

test('secrets are readable by their owner alone', () => {
  for (const name of ['first-key', 'admin-token', 'pepper'])
    assert.equal(statSync(join(gateway.dataFolder, name)).mode & 0o077, 0, name);
});
