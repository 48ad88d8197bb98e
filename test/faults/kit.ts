// One gateway process in front of the scripted provider, and how each client format asks it.

import assert from 'node:assert/strict';
import type { Format } from '../../src/exchange/format.ts';
import { type GatewayProcess, startGateway } from '../gateway.ts';
import { startUpstream, type Upstream } from '../upstream.ts';

export const formats: readonly Format[] = ['openai-chat', 'anthropic-messages', 'gemini-generate'];

/** The provider of the scripted upstream that speaks a format. */
export const providerOf: Readonly<Record<Format, string>> = {
  'openai-chat': 'chat',
  'anthropic-messages': 'messages',
  'gemini-generate': 'gemini',
};

export interface Line {
  readonly id: string;
  readonly ending: string;
  readonly status: number;
  readonly code: string;
  readonly provider: string;
  readonly estimated: boolean;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly attempts: number;
  readonly cost_nano_usd: number;
}

export interface Balance {
  readonly held: string;
  readonly posted: string;
}

export interface World {
  readonly upstream: Upstream;
  readonly gateway: GatewayProcess;
  admin<T>(path: string): Promise<T>;
  /** The receipt of an exchange, undefined where there is none. */
  receipt(id: string | null): Promise<Line | undefined>;
  /** Nothing is set aside once nothing is under way, and what was posted is what the receipts say. */
  conserved(): Promise<void>;
  close(): Promise<void>;
}

export async function startWorld(models: Record<string, unknown> = {}): Promise<World> {
  const upstream = await startUpstream();
  const gateway = await startGateway({
    config: {
      providers: upstream.providers,
      models,
      prices: Object.fromEntries(Object.values(providerOf).map((name) => [`${name}/*`, { input: 1, output: 2 }])),
      budgets: [{ scope: 'global', limit: '50 USD', per: 'lifetime' }],
    },
  }).catch(async (error: unknown) => {
    await upstream.close();
    throw error;
  });
  const admin = async <T>(path: string): Promise<T> => {
    const response = await fetch(gateway.url + path, { headers: { authorization: `Bearer ${gateway.adminToken}` } });
    return (await response.json()) as T;
  };
  return {
    upstream,
    gateway,
    admin,
    async receipt(id) {
      const { data } = await admin<{ data: Line[] }>('/admin/requests?limit=1000');
      return data.find((each) => each.id === id);
    },
    async conserved() {
      const { data: receipts } = await admin<{ data: Line[] }>('/admin/requests?limit=1000');
      const { data: balances } = await admin<{ data: Balance[] }>('/admin/budgets');
      assert.equal(balances.length, 1);
      assert.equal(Number(balances[0]?.held), 0);
      const sum = receipts.reduce((all, { cost_nano_usd }) => all + cost_nano_usd, 0);
      assert.equal(Math.round(Number(balances[0]?.posted) * 1e9), sum);
    },
    async close() {
      await gateway.close();
      await upstream.close();
    },
  };
}

/** Path and body of a request for `provider/model` in a client's format. */
export function requestOf(format: Format, model: string, stream: boolean): { path: string; body: string } {
  const messages = [{ role: 'user', content: 'Say hello.' }];
  switch (format) {
    case 'openai-chat':
      return {
        path: '/v1/chat/completions',
        body: JSON.stringify({
          model,
          stream,
          messages,
          ...(stream ? { stream_options: { include_usage: true } } : {}),
        }),
      };
    case 'anthropic-messages':
      return { path: '/v1/messages', body: JSON.stringify({ model, stream, max_tokens: 64, messages }) };
    case 'gemini-generate':
      return {
        path: `/v1beta/models/${encodeURIComponent(model)}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
        body: JSON.stringify({ contents: [{ role: 'user', parts: [{ text: 'Say hello.' }] }] }),
      };
  }
}

export function ask(
  world: World,
  { path, body }: { path: string; body: string | Uint8Array<ArrayBuffer> },
  init: RequestInit = {},
): Promise<Response> {
  return fetch(world.gateway.url + path, {
    method: 'POST',
    body,
    ...init,
    headers: { authorization: `Bearer ${world.gateway.key}`, 'content-type': 'application/json', ...init.headers },
  });
}

/** Holds that the text is an error of the format that names its request; returns its message. */
export function errorIn(format: Format, text: string, requestId: string | null): string {
  const body = JSON.parse(text) as { type?: string; error?: { message?: string; code?: unknown; status?: string } };
  assert.ok(body.error, text);
  assert.ok(requestId && text.includes(requestId), `the request id ${requestId} stands in ${text}`);
  if (format === 'openai-chat') assert.equal(typeof body.error.code, 'string');
  if (format === 'anthropic-messages') assert.equal(body.type, 'error');
  if (format === 'gemini-generate') assert.match(body.error.status ?? '', /^[A-Z_]+$/);
  return body.error.message ?? '';
}
