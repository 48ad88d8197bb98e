// One gateway in front of endless providers, with a budget for each model that a test asks for, and its books.

import assert from 'node:assert/strict';
import type { Receipt } from '../../src/exchange/receipt.ts';
import { type GatewayProcess, startGateway } from '../gateway.ts';
import { receiptsOf } from '../lasting/tools.ts';
import { type Endless, inputTokens, startEndless } from './upstream.ts';

/** USD per million tokens, of every provider. */
export const price = { input: 1, output: 10 };
/** Of a model that is to be cut: pays for about 300 tokens of output. */
export const limit = '0.003 USD';

/** Providers by how they bill: the first three stop with the connection, the others do not. */
export const strict = ['openai', 'anthropic'] as const;

export interface World {
  readonly upstream: Endless;
  readonly gateway: GatewayProcess;
  admin<Answer>(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Resolves once nothing is in flight, with the receipt of the one exchange that asked for this model. */
  receipt(model: string): Promise<Receipt>;
  receipts(): Promise<Receipt[]>;
  /** Nothing is held, and what was posted is what the receipts say. */
  conserved(): Promise<void>;
  close(): Promise<void>;
}

export interface Wants {
  /** `provider/model` with how a stream ends that its budget cuts. */
  readonly cut?: Readonly<Record<string, 'error' | 'finish'>>;
  readonly models?: Readonly<Record<string, unknown>>;
  readonly more?: Readonly<Record<string, unknown>>;
}

export async function startWorld({ cut = {}, models = {}, more = {} }: Wants = {}): Promise<World> {
  const upstream = await startEndless();
  const key = { api_key: 'key-of-the-gateway' };
  const providers = {
    openai: { ...key, base_url: `${upstream.url}/v1` },
    anthropic: { ...key, base_url: upstream.url },
    gemini: { ...key, base_url: upstream.url },
    chat: { ...key, format: 'openai-chat', base_url: `${upstream.url}/v1` },
    messages: { ...key, format: 'anthropic-messages', base_url: `${upstream.url}/v1` },
  };
  const gateway = await startGateway({
    config: {
      providers,
      models,
      prices: Object.fromEntries(Object.keys(providers).map((name) => [`${name}/*`, price])),
      budgets: [
        { scope: 'global', limit: '1000 USD', per: 'lifetime' },
        ...Object.entries(cut).map(([model, on_exhausted]) => ({
          scope: `model:${model}`,
          limit,
          per: 'lifetime',
          on_exhausted,
        })),
      ],
      ...more,
    },
  }).catch(async (error: unknown) => {
    await upstream.close();
    throw error;
  });
  const admin = async <Answer>(method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(gateway.url + path, {
      method,
      headers: {
        authorization: `Bearer ${gateway.adminToken}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    assert.ok(response.ok, `${method} ${path}: ${response.status}`);
    return (await response.json()) as Answer;
  };
  const idle = async (model?: string): Promise<void> => {
    for (;;) {
      const { data } = await admin<{ data: { asked: string }[] }>('GET', '/admin/inflight');
      if (!data.some(({ asked }) => model === undefined || asked === model)) return;
    }
  };
  return {
    upstream,
    gateway,
    admin,
    async receipt(model) {
      await idle(model);
      const found = receiptsOf(gateway.dataFolder).filter(({ asked }) => asked === model);
      assert.equal(found.length, 1, `one receipt of ${model}`);
      return found[0] as Receipt;
    },
    async receipts() {
      await idle();
      return receiptsOf(gateway.dataFolder);
    },
    async conserved() {
      await idle();
      const receipts = receiptsOf(gateway.dataFolder);
      const { data } = await admin<{ data: { scope: string; held: string; posted: string }[] }>(
        'GET',
        '/admin/budgets',
      );
      for (const { held, scope } of data) assert.equal(Number(held), 0, scope);
      const posted = data.find(({ scope }) => scope === 'global')?.posted;
      assert.equal(
        Math.round(Number(posted) * 1e9),
        receipts.reduce((sum, { cost }) => sum + cost, 0),
      );
    },
    async close() {
      await gateway.close();
      await upstream.close();
    },
  };
}

/** What the provider bills for so many tokens, in nano-USD. */
export function billed(tokens: number, input = inputTokens): number {
  return input * price.input * 1000 + tokens * price.output * 1000;
}
