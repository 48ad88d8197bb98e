import assert from 'node:assert/strict';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { FeedError } from '../config/feed.ts';
import type { KeyRecord } from '../exchange/caller.ts';
import type { Snapshot } from '../exchange/policy.ts';
import type { Receipt } from '../exchange/receipt.ts';
import { type Provider, Secret } from '../exchange/target.ts';
import { noUsage } from '../exchange/usage.ts';
import { adminRoutes, createAdmin, isAdminPath } from './admin.ts';
import type { AdminParts } from './parts.ts';

const token = 'token-token-token-token';
const now = Date.UTC(2026, 5, 1, 12);

const openai = {
  name: 'openai',
  catalogue: 'openai',
  format: 'openai-chat',
  owns: [/^gpt-/],
  keys: [new Secret('sk-hidden')],
};
const provider = {
  ...openai,
  baseUrl: 'https://api.openai.com/v1',
  tier: 'verified',
  billing: { mode: 'strict', abortStops: true, lowWater: 64 },
} as unknown as Provider;

const snapshot: Snapshot = {
  version: 'abc',
  providers: new Map([['openai', provider]]),
  synonyms: new Map([['openai', 'openai']]),
  aliases: new Map([
    [
      'chat',
      {
        name: 'chat',
        strategy: 'failover',
        targets: [{ provider, model: 'gpt-4o', weight: 1, timeouts: { connect: 1, firstByte: 1, idle: 1, total: 9 } }],
      },
    ],
  ]),
  budgets: [],
  limits: [],
  prices: [],
};

const receipt: Receipt = {
  id: 'r1',
  at: now,
  keyId: 'k1',
  scopes: ['global', 'key:k1'],
  format: 'openai-chat',
  asked: 'chat',
  provider: 'openai',
  model: 'gpt-4o',
  rule: 'chat',
  stream: false,
  ending: 'completed',
  status: 200,
  code: '',
  charges: [
    {
      attempt: 1,
      provider: 'openai',
      model: 'gpt-4o',
      usage: { ...noUsage(), input: 10, cacheRead: 5, output: 7 },
      cost: 123_456,
      priceVersion: 'x',
      status: 200,
    },
  ],
  cost: 123_456,
  saved: 0,
  estimated: false,
  dropped: [],
  tags: {},
  cache: 'off',
  durationMs: 5,
  firstByteMs: 3,
  overheadMs: 1,
};

const running = {
  id: 'x1',
  keyId: 'k1',
  keyName: 'ci',
  run: 'nightly',
  asked: 'chat',
  provider: 'openai',
  model: 'gpt-4o',
  startedAt: now - 2_500,
  stream: true,
  phase: 'streaming' as const,
  attempts: 1,
  characters: 812,
  cost: 1_500_000,
  held: 20_000_000,
};

function build(more: Partial<AdminParts> = {}) {
  const keys = new Map<string, KeyRecord>();
  const saved: KeyRecord[] = [];
  let minted = 0;
  const parts: AdminParts = {
    token: new Secret(token),
    metricsAccess: 'token',
    identify: {
      mint: (_, wants) => {
        const id = `k${++minted}`;
        const record = {
          id,
          hash: 'h',
          hint: 'sk-tg-…',
          createdAt: now,
          ...wants,
          allowedModels: wants.allowedModels ?? [],
        };
        return { record, key: `sk-tg-${id}` };
      },
      add: (record) => void keys.set(record.id, record),
      revoke: (id, at) => {
        const record = keys.get(id);
        if (!record) return undefined;
        const revoked = { ...record, revokedAt: at };
        keys.set(id, revoked);
        return revoked;
      },
      list: () => [...keys.values()],
      units: () => [],
      addUnit: () => undefined,
      removeUnit: () => undefined,
    },
    budgets: { list: () => [], put: () => undefined, remove: () => undefined },
    store: {
      saveKey: async (record) => void saved.push(record),
      saveUnit: async () => undefined,
      removeUnit: async () => undefined,
      saveBudget: async () => undefined,
      removeBudget: async () => undefined,
      catchUp: async () => undefined,
      costs: async () => ({
        totals: {
          requests: 3,
          failed: 1,
          cost: 300_000_001,
          saved: 5,
          inputTokens: 10,
          outputTokens: 4,
          cacheHits: 1,
          cacheMisses: 2,
        },
        byModel: [{ provider: 'openai', model: 'gpt-4o', requests: 3, cost: 300_000_001 }],
        byKey: [{ keyId: 'k1', requests: 3, cost: 300_000_001 }],
        byDay: [{ at: Date.UTC(2026, 5, 1), requests: 3, cost: 300_000_001 }],
      }),
      spend: async () => [],
      otherCosts: async () => [],
      addOtherCosts: async () => 0,
      removeOtherCost: async () => false,
      requests: async () => [receipt],
      receipt: async (id) => (id === 'r1' ? receipt : undefined),
    },
    correct: () => true,
    priceUsage: () => undefined,
    catalogue: {
      state: () => ({ version: 'c1', source: 'packaged' }),
      propose: () => Promise.reject(new FeedError('it is empty')),
      apply: () => undefined,
      rowOf: () => undefined,
      fetch: () => Promise.reject(new FeedError('nobody is there')),
    },
    prices: {
      rate: (target) =>
        target.model === 'gpt-4o'
          ? {
              version: 'c1',
              longContext: 'whole_request',
              tiers: [{ above: 0, prices: { input: 2_500_000, cacheWrite5m: 300_000, webSearches: 10_000_000_000 } }],
              services: {},
            }
          : undefined,
    },
    inflight: {
      list: () => [running],
      kill: async (what, id) => ({ here: what === 'request' && id === running.id ? 1 : 0, told: true }),
    },
    snapshot: () => snapshot,
    config: () => ({ declared: { providers: { openai: { api_key: 'env:X' } } }, warnings: [] }),
    ledger: {
      shared: false,
      standing: () => ({
        at: now,
        position: { segment: '000000000001.journal', offset: 7 },
        failing: false,
        accounts: [],
      }),
    },
    balances: () => [
      {
        scope: 'global',
        per: 'day',
        limit: 5_000_000_000,
        posted: 1,
        held: 2,
        available: 4_999_999_997,
        named: true,
        resetsAt: now,
      },
    ],
    metrics: () => 'llm_proxy_inflight 0\n',
    health: () => [{ provider: 'openai', up: false }],
    notReady: () => [],
    about: { version: '0.1.0', node: '26.0.0' },
    clock: { now: () => now },
    random: { bytes: (length) => Buffer.alloc(length), fraction: () => 0.5 },
    log: { info: () => {}, error: () => {} },
    ...more,
  };
  return { parts, saved };
}

interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly json: () => Record<string, unknown>;
}

async function start(context: TestContext, more: Partial<AdminParts> = {}) {
  const { parts, saved } = build(more);
  const server = createServer(createAdmin(parts));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const ask = (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = { authorization: `Bearer ${token}` },
  ) =>
    new Promise<Got>((resolve, reject) => {
      const withType = body === undefined ? headers : { 'content-type': 'application/json', ...headers };
      const outgoing = httpRequest({ port, host: '127.0.0.1', method, path, headers: withType }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, json: () => JSON.parse(text) });
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
    });
  return { ask, saved };
}

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
  assert.equal((await ask('PATCH', '/admin/keys/k1', { name: 'x' })).status, 409);
  assert.equal((await ask('DELETE', '/admin/keys/none')).status, 404);
});

test('a wrong body says which field', async (context) => {
  const { ask, saved } = await start(context);
  const table: [unknown, number, RegExp][] = [
    [{}, 400, /name/],
    [{ name: 'a', budgets: {} }, 400, /budgets: is not a known field/],
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
  const told = { others_told: true };
  assert.deepEqual((await ask('DELETE', '/admin/inflight/x1')).json(), {
    what: 'request',
    id: 'x1',
    ended_here: 1,
    ...told,
  });
  const byRun = await ask('POST', '/admin/kill', { run: 'nightly' });
  assert.deepEqual([byRun.status, byRun.json()], [200, { what: 'run', id: 'nightly', ended_here: 0, ...told }]);
  for (const body of [{}, { run: 'a', key: 'b' }, { key: '' }, { team: 'a' }])
    assert.equal((await ask('POST', '/admin/kill', body)).status, 400, JSON.stringify(body));
});
