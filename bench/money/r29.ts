// R29: every kind of broken price file against a running gateway, by its API, by its data folder and at its start: the last
// good one stays in force and nothing is priced 0. `node bench/money/r29.ts`.

import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type GatewayProcess, startGateway } from '../../test/gateway.ts';
import { doubtful, feedCopy, unreadable } from './broken-feeds.ts';
import { print, type Verdict } from './verdict.ts';

const usage = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 };
/** At 3 and 10 USD per million tokens, the prices of the good update. */
const costNano = 1000 * 3000 + 100 * 10_000;

/** A provider whose every answer counts the same tokens. */
function startProvider(): Promise<{ server: Server; url: string }> {
  const server = createServer((request, reply) => {
    request.resume().on('end', () => {
      const choices = [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }];
      reply.setHeader('content-type', 'application/json');
      reply.end(JSON.stringify({ id: 'c', object: 'chat.completion', created: 1, model: 'gpt-4o', choices, usage }));
    });
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve({ server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` });
    });
  });
}

export interface Catalogued {
  readonly gateway: GatewayProcess;
  /** The cost of one request, nano-USD; undefined where it was refused. */
  spend(): Promise<number | undefined>;
  ask(method: string, path: string, body?: unknown): Promise<{ status: number; json: Record<string, unknown> }>;
  restart(): Promise<Catalogued>;
  close(): Promise<void>;
}

export async function startCatalogued(dataFolder?: string): Promise<Catalogued> {
  const provider = await startProvider();
  const gateway = await startGateway({
    config: {
      providers: { openai: { api_key: 'sk-nobody', base_url: provider.url } },
      budgets: [{ scope: 'global', limit: '1000 USD', per: 'day' }],
    },
    ...(dataFolder === undefined ? {} : { dataFolder }),
  });
  const call = (path: string, token: string, method = 'POST', body?: unknown): Promise<Response> =>
    fetch(gateway.url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const close = async (): Promise<void> => {
    await gateway.close();
    provider.server.closeAllConnections();
    provider.server.close();
  };
  return {
    gateway,
    close,
    async spend() {
      const messages = [{ role: 'user', content: 'hello' }];
      const answer = await call('/v1/chat/completions', gateway.key, 'POST', { model: 'openai/gpt-4o', messages });
      await answer.arrayBuffer();
      const cost = answer.headers.get('x-tollgate-cost');
      return answer.ok && cost !== null ? Math.round(Number(cost) * 1e9) : undefined;
    },
    async ask(method, path, body) {
      const answer = await call(path, gateway.adminToken, method, body);
      return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
    },
    async restart() {
      const folder = gateway.dataFolder;
      await gateway.kill('SIGTERM');
      provider.server.closeAllConnections();
      provider.server.close();
      return startCatalogued(folder);
    },
  };
}

/** The packaged prices with gpt-4o at 3 instead of 2.50. */
export function goodFeed(): string {
  const rows = feedCopy();
  const model = rows.find(({ id }) => id === 'openai')?.models.find(({ id }) => id === 'gpt-4o');
  if (model) model.prices = { input_mtok: 3, cache_read_mtok: 1.25, output_mtok: 10 };
  return JSON.stringify(rows);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) if (await holds()) return;
  throw new Error('waited too long');
}

export async function run(): Promise<Verdict> {
  let running = await startCatalogued();
  const misses: string[] = [];
  const counts = { byApi: 0, byFile: 0, atStart: 0, requests: 0, pricedZero: 0, otherPrice: 0 };
  const check = async (what: string): Promise<void> => {
    const cost = await running.spend();
    counts.requests++;
    if (cost === 0) counts.pricedZero++;
    if (cost !== costNano) counts.otherPrice++;
    if (cost !== costNano) misses.push(`${what}: a request cost ${cost}`);
  };
  try {
    const first = await running.ask('POST', '/admin/catalogue', {
      feed: goodFeed(),
      apply: true,
      jumps: ['openai/gpt-4o'],
    });
    if (first.status !== 200) throw new Error(`the good feed was refused: ${JSON.stringify(first.json)}`);
    await check('after the good update');

    for (const [what, text] of Object.entries({ ...unreadable, ...doubtful })) {
      const { status } = await running.ask('POST', '/admin/catalogue', { feed: text(), apply: true });
      counts.byApi++;
      if (status < 400) misses.push(`${what}: taken by the API`);
      await check(`${what}, by the API`);
    }
    const file = join(running.gateway.dataFolder, 'catalogue.json');
    const good = readFileSync(file, 'utf8');
    const damaged: Record<string, string> = {
      'half of it': good.slice(0, good.length / 2),
      'a price edited': good.replace('"input_mtok":3,', '"input_mtok":0,'),
    };
    for (const [what, text] of Object.entries(unreadable)) damaged[what] = text();
    for (const [what, text] of Object.entries(damaged)) {
      writeFileSync(file, good);
      running.gateway.process.kill('SIGHUP');
      await until(async () => (await running.ask('GET', '/admin/catalogue')).json.problem === null);
      writeFileSync(file, text);
      running.gateway.process.kill('SIGHUP');
      await until(async () => (await running.ask('GET', '/admin/catalogue')).json.problem !== null);
      counts.byFile++;
      await check(`${what}, in the data folder`);
    }
    for (const [what, text] of Object.entries(damaged).slice(0, 4)) {
      writeFileSync(file, text);
      running = await running.restart();
      counts.atStart++;
      if ((await running.ask('GET', '/admin/catalogue')).json.problem === null) misses.push(`${what}: silent at start`);
      await check(`${what}, at a start`);
    }
  } finally {
    await running.close();
  }
  return {
    row: 'R29',
    what: 'a broken price file leaves the last good one in force',
    figures: {
      'refused by the API': counts.byApi,
      'refused in the data folder (SIGHUP)': counts.byFile,
      'refused at a start': counts.atStart,
      'requests between them': counts.requests,
      'priced 0': counts.pricedZero,
      'priced by anything but the good one': counts.otherPrice,
    },
    misses,
  };
}

if (import.meta.main) {
  const verdict = await run();
  print(verdict);
  process.exitCode = verdict.misses.length === 0 ? 0 : 1;
}
