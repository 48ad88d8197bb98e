// The control plane over a real socket, on parts of which each test replaces what it looks at.

import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { createAdmin } from '../src/admin/admin.ts';
import type { AdminParts } from '../src/admin/parts.ts';
import { FeedError } from '../src/config/feed.ts';
import type { KeyRecord } from '../src/exchange/caller.ts';
import type { Snapshot } from '../src/exchange/policy.ts';
import type { Receipt } from '../src/exchange/receipt.ts';
import { type Provider, Secret } from '../src/exchange/target.ts';
import { noUsage } from '../src/exchange/usage.ts';

export const token = 'token-token-token-token';
export const now = Date.UTC(2026, 5, 1, 12);

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

export function build(more: Partial<AdminParts> = {}) {
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
      models: (catalogue) => (catalogue === 'openai' ? ['gpt-4o', 'gpt-9'] : []),
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
      elsewhere: false,
      list: () => [running],
      kill: async (what, id) => ({ here: what === 'request' && id === running.id ? 1 : 0, told: true }),
    },
    snapshot: () => snapshot,
    remedy: () => '',
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

export async function start(context: TestContext, more: Partial<AdminParts> = {}) {
  const { parts, saved } = build(more);
  const server = createServer(createAdmin(parts) as never);
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
