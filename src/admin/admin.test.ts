import assert from 'node:assert/strict';
import { test } from 'node:test';
import { build, now, start, token } from '../../test/admin-kit.ts';
import { adminRoutes, isAdminPath } from './admin.ts';

test('every route but the open ones refuses who has no token or a wrong one', async (context) => {
  const { ask, saved } = await start(context);
  for (const route of adminRoutes) {
    assert.ok(isAdminPath(route.path.replace(/{\w+}/, 'x')), route.path);
    for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: `Basic ${token}` }]) {
      const got = await ask(
        route.method,
        route.path.replace(/{\w+}/, 'k1'),
        undefined,
        headers as Record<string, string>,
      );
      const label = `${route.method} ${route.path}`;
      assert.equal(got.status, route.access === 'open' ? 200 : 401, label);
      assert.equal(got.headers['cache-control'], 'private, no-store', label);
      assert.equal(got.headers['x-content-type-options'], 'nosniff', label);
    }
  }
  assert.equal((await ask('GET', '/admin/nothing', undefined, {})).status, 401, 'what is inside is not told outside');
  assert.equal((await ask('GET', '/admin/nothing')).status, 404);
  assert.equal((await ask('PUT', '/admin/keys')).status, 405);
  assert.equal(saved.length, 0);
});

test('a key is made, shown once, changed and revoked', async (context) => {
  const { ask, saved } = await start(context);
  const made = await ask('POST', '/admin/keys', {
    name: 'ci',
    budget: { limit: '0.01 USD', per: 'day' },
    allowed_models: ['gpt-*'],
  });
  assert.equal(made.status, 201);
  assert.equal(made.json().id, 'k1');
  assert.equal(made.json().key, 'sk-tg-k1');
  assert.deepEqual(made.json().budget, { limit: '0.01 USD', per: 'day' });
  assert.equal(saved[0]?.budget?.limit, 10_000_000);
  const list = await ask('GET', '/admin/keys');
  assert.ok(!list.text.includes('sk-tg-k1') && !list.text.includes('"hash"'));
  const changed = await ask('PATCH', '/admin/keys/k1', { budget: { limit: 2, per: 'month' } });
  assert.deepEqual(changed.json().budget, { limit: '2 USD', per: 'month' });
  assert.equal((await ask('PATCH', '/admin/keys/k1', { budget: null })).json().budget, null);
  assert.equal((await ask('DELETE', '/admin/keys/k1')).json().status, 'revoked');
  assert.equal(saved.at(-1)?.revokedAt, now);
  const late = await ask('PATCH', '/admin/keys/k1', { name: 'x' });
  assert.equal(late.status, 409);
  assert.match(late.text, new RegExp(`This key was revoked at ${new Date(now).toISOString()}; make a new one\\.`));
  assert.equal((await ask('DELETE', '/admin/keys/none')).status, 404);
});

test('a wrong body says which field', async (context) => {
  const { ask, saved } = await start(context);
  const table: [unknown, number, RegExp][] = [
    [{}, 400, /^name: is missing$/],
    [{ name: 'a', budgets: {} }, 400, /budgets: is not a known field/],
    [{ name: 'a', allowed_models: [''] }, 400, /^allowed_models\.0: must not be empty$/],
    [{ name: 'a', allowed_models: 'gpt-*' }, 400, /^allowed_models: must be a list$/],
    [{ name: 'a', allowed_models: ['x'.repeat(301)] }, 400, /^allowed_models\.0: must have at most 300 characters$/],
    [
      { name: 'a', budget: { limit: 5, per: 'year' } },
      400,
      /^budget\.per: must be one of minute, hour, day, week, month/,
    ],
    [{ name: 'a', budget: { limit: {}, per: 'day' } }, 400, /^budget\.limit: must be a string or a number$/],
    [{ name: 'a', expires_at: 'soon' }, 400, /^expires_at: must be an instant such as 2026-12-31T00:00:00Z$/],
    [
      { name: 'a', claims: { pin: { tag: { 'a b': 'c' } } } },
      400,
      /^claims\.pin\.tag\.a b: must be letters, digits and/,
    ],
    [[], 400, /^must be a mapping of keys$/],
    [{ name: 'a', budget: { limit: '5 EUR', per: 'day' } }, 400, /budget\.limit: must be an amount/],
    [{ name: 'a', expires_at: '2020-01-01T00:00:00Z' }, 400, /expires_at lies in the past/],
    ['{', 400, /not JSON/],
    ['x'.repeat(1_000_001), 413, /larger than 1000000 bytes/],
  ];
  for (const [body, status, message] of table) {
    const got = await ask('POST', '/admin/keys', body);
    assert.equal(got.status, status);
    assert.match((got.json().error as { message: string }).message, message);
  }
  const form = { authorization: `Bearer ${token}`, 'content-type': 'text/plain' };
  assert.equal((await ask('POST', '/admin/keys', '{"name":"a"}', form)).status, 415);
  assert.equal(saved.length, 0);
});

test('spending: exact amounts, named keys, receipts with attempts', async (context) => {
  const { ask } = await start(context);
  const costs = (await ask('GET', '/admin/analytics/costs?from=7d')).json();
  assert.equal(costs.total_cost, 0.300000001);
  assert.equal(costs.total_requests, 3);
  assert.equal(costs.cache_hits, 1);
  assert.equal(costs.cache_misses, 2);
  assert.deepEqual(costs.by_model, [
    { model: 'gpt-4o', provider: 'openai', requests: 3, cost: 0.300000001, cost_nano_usd: 300000001 },
  ]);
  assert.equal((await ask('GET', '/admin/analytics/costs?from=soon')).status, 400);
  const listed = (await ask('GET', '/admin/requests?limit=1')).json();
  assert.equal(listed.next, 'r1');
  const one = (await ask('GET', '/admin/requests/r1')).json();
  assert.equal(one.cost, 0.000123456);
  assert.equal(one.input_tokens, 15);
  assert.equal((one.charges as unknown[]).length, 1);
  assert.equal((await ask('GET', '/admin/requests/none')).status, 404);
  const budgets = (await ask('GET', '/admin/budgets')).json().data as Record<string, unknown>[];
  assert.equal(budgets[0]?.available, 4.999999997);
});

test('policy: models, configuration without secrets, prices with the line that is missing', async (context) => {
  const { ask } = await start(context);
  const models = await ask('GET', '/admin/models');
  assert.ok(!models.text.includes('sk-hidden'));
  assert.equal((models.json().providers as { up: boolean }[])[0]?.up, false);
  assert.deepEqual((await ask('GET', '/admin/config')).json().declared, {
    providers: { openai: { api_key: 'env:X' } },
  });
  const price = (await ask('GET', '/admin/prices?model=chat')).json().targets as Record<string, unknown>[];
  assert.deepEqual(price[0]?.tiers, [
    {
      above_input_tokens: 0,
      usd_per_million_tokens: { input: 2.5, cache_write_5m: 0.3 },
      usd_per_piece: { web_searches: 0.01 },
    },
  ]);
  const unknown = (await ask('GET', '/admin/prices?model=gpt-9')).json().targets as Record<string, unknown>[];
  assert.equal(unknown[0]?.fix, 'prices: { "openai/gpt-9": { input: …, output: … } }');
  assert.equal((await ask('GET', '/admin/prices?model=llama')).status, 404);
  assert.equal((await ask('GET', '/admin/prices')).status, 400);
});

test('the catalogue: what it has for each provider, and what each model of one costs', async (context) => {
  const { ask } = await start(context);
  const state = { version: 'c1', source: 'packaged', applied_at: null, checksum: null, problem: null };
  const all = (await ask('GET', '/admin/catalogue')).json();
  assert.deepEqual(all, { ...state, providers: [{ name: 'openai', models: 2 }] });
  const { models } = (await ask('GET', '/admin/catalogue?provider=openai')).json() as {
    models: { model: string; known: boolean }[];
  };
  assert.deepEqual(
    models.map(({ model, known }) => [model, known]),
    [
      ['gpt-4o', true],
      ['gpt-9', false],
    ],
  );
  const none = await ask('GET', '/admin/catalogue?provider=openia');
  assert.equal(none.status, 400);
  assert.match(none.text, /No provider .*openia.* is configured; those that are: openai/);
});

test('probes and metrics follow the configuration', async (context) => {
  const { ask } = await start(context, { metricsAccess: 'open', notReady: () => ['draining'] });
  assert.equal((await ask('GET', '/metrics', undefined, {})).text, 'llm_proxy_inflight 0\n');
  const ready = await ask('GET', '/readyz', undefined, {});
  assert.equal(ready.status, 503);
  assert.deepEqual(ready.json(), { status: 'not_ready', reasons: ['draining'] });
  assert.equal((await ask('HEAD', '/healthz', undefined, {})).text, '');
  const off = await start(context, { metricsAccess: 'off' });
  assert.equal((await off.ask('GET', '/metrics')).status, 404);
});

test('the document holds every route; an inner failure tells nothing', async (context) => {
  const store = { ...build().parts.store, costs: () => Promise.reject(new Error('SQLITE at /secret/path')) };
  const { ask } = await start(context, { store });
  const document = (await ask('GET', '/admin/openapi.json')).json().paths as Record<string, Record<string, unknown>>;
  for (const route of adminRoutes) assert.ok(document[route.path]?.[route.method.toLowerCase()], route.path);
  const failed = await ask('GET', '/admin/analytics/costs');
  assert.equal(failed.status, 500);
  assert.ok(!failed.text.includes('secret'));
});

test('what is in flight is shown, and ended by exactly one name', async (context) => {
  const { ask } = await start(context);
  const seen = (await ask('GET', '/admin/inflight')).json();
  assert.deepEqual(seen, {
    data: [
      {
        id: 'x1',
        phase: 'streaming',
        key: 'k1',
        key_name: 'ci',
        run: 'nightly',
        asked: 'chat',
        provider: 'openai',
        model: 'gpt-4o',
        stream: true,
        started_at: '2026-06-01T11:59:57.500Z',
        seconds: 2.5,
        attempts: 1,
        output_characters: 812,
        cost: 0.0015,
        cost_nano_usd: 1_500_000,
        held: 0.02,
        held_nano_usd: 20_000_000,
      },
    ],
    total: 1,
    cost: 0.0015,
    held: 0.02,
  });
  assert.deepEqual((await ask('GET', '/admin/inflight?key=other')).json().data, []);
  const told = { others_told: true, elsewhere: false };
  assert.deepEqual((await ask('DELETE', '/admin/inflight/x1')).json(), {
    what: 'request',
    id: 'x1',
    found: 1,
    ended_here: 1,
    ...told,
  });
  const byRun = await ask('POST', '/admin/kill', { run: 'nightly' });
  assert.deepEqual(
    [byRun.status, byRun.json()],
    [200, { what: 'run', id: 'nightly', found: 1, ended_here: 0, ...told }],
  );
  const none = (await ask('POST', '/admin/kill', { request: 'x2' })).json();
  assert.deepEqual(none, { what: 'request', id: 'x2', found: 0, ended_here: 0, ...told });
  for (const body of [{}, { run: 'a', key: 'b' }, { key: '' }, { team: 'a' }])
    assert.equal((await ask('POST', '/admin/kill', body)).status, 400, JSON.stringify(body));
});
