// One gateway in front of a scripted provider, keys with budgets of their own, and its books.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { scanRows } from '../../src/exchange/journal.ts';
import type { JournalRow, Receipt } from '../../src/exchange/receipt.ts';
import { type GatewayProcess, startGateway } from '../gateway.ts';
import { startUpstream, type Upstream } from '../upstream.ts';

/** USD per million tokens of every provider: a dollar is 66,667 tokens of output. */
const price = { input: 3, output: 15 };

export interface Answered {
  readonly status: number;
  readonly text: string;
  readonly id: string;
  readonly dropped: string | null;
}

export interface Books {
  readonly upstream: Upstream;
  readonly gateway: GatewayProcess;
  /** A key that may spend so much a day. */
  keyWith(limit: string): Promise<string>;
  /** A stream of the scripted model, unless `more` of the body says otherwise. */
  ask(key: string, model: string, more?: Record<string, unknown>, path?: string): Promise<Answered>;
  rows(): JournalRow[];
  receiptOf(id: string): Receipt;
  /** The same, once it is there: of a client that left nothing waits for the books. */
  receiptIn(id: string): Promise<Receipt>;
  close(): Promise<void>;
}

export async function startBooks(): Promise<Books> {
  const upstream = await startUpstream();
  const gateway = await startGateway({
    config: {
      // Its bill ends with the connection: the other two are heard out.
      providers: { ...upstream.providers, openai: upstream.providers.chat },
      prices: Object.fromEntries(['chat', 'messages', 'gemini', 'openai'].map((name) => [`${name}/*`, price])),
      budgets: [{ scope: 'global', limit: '1000 USD', per: 'lifetime' }],
    },
  });

  function rows(): JournalRow[] {
    const folder = join(gateway.dataFolder, 'journal');
    const found: JournalRow[] = [];
    for (const name of readdirSync(folder).sort())
      scanRows(readFileSync(join(folder, name)), 0, (row) => found.push(row));
    return found;
  }

  const find = (id: string): Receipt | undefined =>
    rows().flatMap((row) => (row.type === 'receipt' && row.receipt.id === id ? [row.receipt] : []))[0];

  return {
    upstream,
    gateway,
    rows,
    async keyWith(limit) {
      const response = await fetch(`${gateway.url}/admin/keys`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${gateway.adminToken}`,
          'content-type': 'application/json',
          'x-tollgate-admin': '1',
        },
        body: JSON.stringify({ name: 'a test', budget: { limit, per: 'day' } }),
      });
      const made = (await response.json()) as { key?: string };
      assert.ok(made.key, JSON.stringify(made));
      return made.key;
    },
    async ask(key, model, more = {}, path = '/v1/chat/completions') {
      const response = await fetch(gateway.url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: 'Say hello.' }], ...more }),
      });
      return {
        status: response.status,
        id: response.headers.get('x-tollgate-request-id') ?? '',
        dropped: response.headers.get('x-tollgate-dropped'),
        text: await response.text(),
      };
    },
    receiptOf(id) {
      const found = find(id);
      assert.ok(found, `no receipt of ${id}`);
      return found;
    },
    async receiptIn(id) {
      for (;;) {
        const found = find(id);
        if (found) return found;
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    async close() {
      await gateway.close();
      await upstream.close();
    },
  };
}
