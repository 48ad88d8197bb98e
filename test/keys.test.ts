// A key's life from the terminal, against a running gateway: what it may do, what it may spend, and its end.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type GatewayProcess, startGateway } from './gateway.ts';
import { admin, chat, type Finished, tollgate } from './lasting/tools.ts';

let gateway: GatewayProcess;

before(async () => {
  gateway = await startGateway({
    config: { providers: { sim: {} }, models: { quick: 'sim/sim-small', dear: 'sim/sim-large' }, budgets: [] },
  });
});
after(() => gateway.close());

const command = (...args: string[]): Promise<Finished> =>
  tollgate([...args, '--url', gateway.url], { TOLLGATE_DATA: gateway.dataFolder });

async function made(name: string, ...options: string[]): Promise<{ url: string; key: string }> {
  const { code, out, err } = await command('key', 'create', name, ...options);
  assert.equal(code, 0, err);
  return { url: gateway.url, key: out.trim() };
}

const errorOf = async (response: Response): Promise<{ code: string; tollgate?: Record<string, unknown> }> =>
  ((await response.json()) as { error: { code: string; tollgate?: Record<string, unknown> } }).error;

test('a key is made, used and revoked: the next request is 401', async () => {
  const holder = await made('short');
  assert.equal((await chat(holder, { model: 'quick' })).status, 200);
  const revoked = await command('key', 'revoke', 'short');
  assert.equal(revoked.code, 0, revoked.err);
  const refused = await chat(holder, { model: 'quick' });
  assert.equal(refused.status, 401);
  assert.equal((await errorOf(refused)).code, 'invalid_key');
});

test('allowed models hold by alias, by provider/model and by X-LLM-Provider', async () => {
  const holder = await made('narrow', '--models', 'quick,sim/sim-small');
  for (const model of ['quick', 'sim/sim-small']) assert.equal((await chat(holder, { model })).status, 200, model);
  for (const model of ['dear', 'sim/sim-large']) assert.equal((await chat(holder, { model })).status, 403, model);
  assert.equal((await chat(holder, { model: 'sim-large' }, { 'x-llm-provider': 'sim' })).status, 403);
});

test('a tiny budget is a 402 that no SDK repeats, with its facts', async () => {
  const holder = await made('poor', '--budget', '0.000001');
  const refused = await chat(holder, { model: 'quick' });
  assert.equal(refused.status, 402);
  assert.equal(refused.headers.get('x-should-retry'), 'false');
  const error = await errorOf(refused);
  assert.equal(error.code, 'budget_exceeded');
  assert.ok(Object.keys(error.tollgate ?? {}).length > 0);
});

test('a stream that runs out of budget is cut in its protocol', async () => {
  const holder = await made('stream', '--budget', '0.004');
  const text = await (await chat(holder, { model: 'sim/sim-long', stream: true })).text();
  assert.match(text, /"code":"budget_exceeded"/);
  const { data } = await admin<{ data: { cost: number; code: string }[] }>(gateway, '/admin/requests?ending=cut');
  assert.equal(data[0]?.code, 'budget_exceeded');
  // The bound: one stretch of 200 characters beyond the limit, at 8 USD a million tokens.
  assert.ok((data[0]?.cost ?? 1) <= 0.004 + 200 * 0.000008, String(data[0]?.cost));
});

test('what a request asks for itself holds: its cost, its time', async () => {
  const dear = await chat(gateway, { model: 'quick' }, { 'x-tollgate-max-cost': '0.000001' });
  assert.equal(dear.status, 402);
  const late = await chat(gateway, { model: 'sim/sim-slow' }, { 'x-tollgate-timeout': '200ms' });
  assert.equal(late.status, 504, await late.text());
});

test('an expiry in the past is refused, and so is a key without a name', async () => {
  const past = await command('key', 'create', 'old', '--expires', '2020-01-01');
  assert.equal(past.code, 1);
  assert.match(past.err, /past/);
  assert.equal((await command('key', 'create')).code, 2);
});

test('a Strict request with a parameter that cannot cross is refused; without it the loss is named', async () => {
  const body = JSON.stringify({
    model: 'quick',
    max_tokens: 50,
    top_k: 5,
    messages: [{ role: 'user', content: 'Hello' }],
  });
  const ask = (strict: Record<string, string>): Promise<Response> =>
    fetch(`${gateway.url}/v1/messages`, { method: 'POST', headers: { 'x-api-key': gateway.key, ...strict }, body });
  const loose = await ask({});
  assert.equal(loose.status, 200);
  assert.match(loose.headers.get('x-tollgate-dropped') ?? '', /top_k/);
  const refused = await ask({ 'x-tollgate-strict': '1' });
  assert.equal(refused.status, 400);
  assert.match(await refused.text(), /top_k/);
});

test('check and doctor find a good file good', async () => {
  const checked = await tollgate(['check', gateway.configFile]);
  assert.deepEqual([checked.code, /is good: 1 provider, 2 models/.test(checked.out)], [0, true], checked.err);
  const doctor = await command('doctor', '--config', gateway.configFile);
  assert.equal(doctor.code, 0, doctor.out);
  assert.match(doctor.out, /^ok +gateway +ready at/m);
});

test('spend and price answer; --offline is refused while a gateway runs, and works after it', async () => {
  const spent = await command('spend');
  assert.match(spent.out, /sim\/sim-small +\d/, spent.err);
  assert.match((await command('price', 'sim/sim-small')).out, /2 USD per million tokens/);
  const environment = { TOLLGATE_DATA: gateway.dataFolder };
  const offline = ['key', 'list', '--offline', '--config', gateway.configFile];
  const refused = await tollgate(offline, environment);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /in use by a running gateway/);
  await gateway.kill('SIGTERM');
  const listed = await tollgate(offline, environment);
  assert.equal(listed.code, 0, listed.err);
  assert.match(listed.out, /short .*revoked/);
});
