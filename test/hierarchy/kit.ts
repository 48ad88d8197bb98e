// A gateway in front of the scripted provider for tests of who may spend what: units, keys and budgets made over the socket.

import assert from 'node:assert/strict';
import { type GatewayProcess, startGateway } from '../gateway.ts';
import { startUpstream, type Upstream } from '../upstream.ts';

export interface Bench {
  readonly upstream: Upstream;
  readonly gateway: GatewayProcess;
  /** The answer of the control plane; rejects where it is not 2xx. */
  admin<Answer = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<Answer>;
  /** The same, whatever its status. */
  adminRaw(method: string, path: string, body?: unknown): Promise<Response>;
  /** A new key, by what `POST /admin/keys` takes. */
  key(wants: Record<string, unknown>): Promise<{ id: string; key: string }>;
  close(): Promise<void>;
}

/** Nano-USD that one call to the scripted provider costs, by its own usage: 11 tokens in, 4 out. */
export const callCost = 11 * 1000 + 4 * 2000;

export async function startBench(config: Record<string, unknown> = {}): Promise<Bench> {
  const upstream = await startUpstream();
  const gateway = await startGateway({
    config: {
      providers: upstream.providers,
      prices: Object.fromEntries(Object.keys(upstream.providers).map((name) => [`${name}/*`, { input: 1, output: 2 }])),
      budgets: [],
      ...config,
    },
  }).catch(async (error: unknown) => {
    await upstream.close();
    throw error;
  });
  const adminRaw = (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(gateway.url + path, {
      method,
      headers: { authorization: `Bearer ${gateway.adminToken}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const admin = async <Answer>(method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await adminRaw(method, path, body);
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as Answer;
  };
  return {
    upstream,
    gateway,
    admin,
    adminRaw,
    key: (wants) => admin<{ id: string; key: string }>('POST', '/admin/keys', wants),
    async close() {
      await gateway.close();
      await upstream.close();
    },
  };
}

/** A request of 16 tokens of output at most, so that little has to be held for it. */
export function ask(
  bench: Bench,
  key: string,
  more: { readonly body?: Record<string, unknown>; readonly headers?: Record<string, string> } = {},
): Promise<Response> {
  return fetch(`${bench.gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...more.headers },
    body: JSON.stringify({
      model: 'chat/ok',
      max_tokens: 16,
      messages: [{ role: 'user', content: 'Say hello.' }],
      ...more.body,
    }),
  });
}

/** Spends until a budget says no; the refusal, and how many calls came before it. */
export async function exhaust(
  bench: Bench,
  key: string,
  more: Parameters<typeof ask>[2] = {},
): Promise<{ served: number; refused: Refused }> {
  for (let served = 0; served < 20; served++) {
    const answer = await ask(bench, key, more);
    if (answer.status !== 200) return { served, refused: await refusalOf(answer, 402) };
    await answer.arrayBuffer();
  }
  throw new Error('nothing said no to twenty calls');
}

export interface Refused {
  readonly code: string;
  readonly message: string;
  readonly tollgate: { readonly scope?: string };
}

export async function refusalOf(response: Response, status: number): Promise<Refused> {
  const text = await response.text();
  assert.equal(response.status, status, text);
  return (JSON.parse(text) as { error: Refused }).error;
}
