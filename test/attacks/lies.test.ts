// A provider whose usage cannot be true: it neither makes an answer free nor empties a budget.

import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type GatewayProcess, startGateway } from '../gateway.ts';

const text = 'some words of an answer '.repeat(75);
let usage: unknown;
let provider: Server;
let gateway: GatewayProcess;

before(async () => {
  provider = createServer(async (incoming, reply) => {
    let asked = '';
    for await (const chunk of incoming) asked += String(chunk);
    if (asked.includes('"stream":true')) return lieInStream(asked.includes('breaks'), reply);
    const message = { role: 'assistant', content: text };
    const choices = [{ index: 0, message, finish_reason: 'stop' }];
    // Written by hand, since 1e400 is JSON that JSON.stringify cannot write.
    const told = typeof usage === 'string' ? usage : JSON.stringify(usage);
    const body = JSON.stringify({ id: 'c', object: 'chat.completion', created: 1, model: 'm', choices });
    reply.writeHead(200, { 'content-type': 'application/json' });
    reply.end(`${body.slice(0, -1)},"usage":${told}}`);
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  const { port } = provider.address() as AddressInfo;
  gateway = await startGateway({
    config: {
      providers: { liar: { format: 'openai-chat', base_url: `http://127.0.0.1:${port}/v1`, api_key: 'x' } },
      prices: { 'liar/*': { input: 1, output: 10, web_search: 0.01 } },
      budgets: [{ scope: 'global', limit: '1 USD', per: 'day' }],
    },
  });
});
after(async () => {
  await gateway.close();
  provider.close();
});

/** Half of the text, the lie, the other half; and then the truth, or nothing more. */
function lieInStream(breaks: boolean, reply: ServerResponse): void {
  const say = (more: object): string =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', ...more })}\n\n`;
  const piece = (delta: object, finish: string | null): object => ({
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  const half = { content: text.slice(0, text.length / 2) };
  reply.writeHead(200, { 'content-type': 'text/event-stream' });
  const head = say({ ...piece(half, null), usage }) + say(piece(half, null));
  if (breaks) return void reply.write(head, () => reply.destroy());
  const told = { prompt_tokens: 3, completion_tokens: 400, total_tokens: 403 };
  reply.end(`${head}${say(piece({}, 'stop'))}${say({ choices: [], usage: told })}data: [DONE]\n\n`);
}

function ask(model: string, stream: boolean): Promise<Response> {
  return fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: `liar/${model}`, stream, messages: [{ role: 'user', content: 'hi' }] }),
  });
}

async function cost(): Promise<number> {
  const response = await ask('m', false);
  assert.equal(response.status, 200, await response.clone().text());
  return Number(response.headers.get('x-tollgate-cost'));
}

const lies: readonly [string, unknown][] = [
  ['nothing', {}],
  ['null', null],
  ['negative counts', { prompt_tokens: -5, completion_tokens: -1000, total_tokens: -1005 }],
  ['words for counts', { prompt_tokens: 'many', completion_tokens: [], total_tokens: {} }],
  ['10^18 tokens', { prompt_tokens: 1e18, completion_tokens: 1e18, total_tokens: 2e18 }],
  ['10^9 tokens of prompt and none of answer', { prompt_tokens: 1e9, completion_tokens: 0, total_tokens: 1e9 }],
  ['10^12 searches', { prompt_tokens: 3, completion_tokens: 400, total_tokens: 403, num_search_queries: 1e12 }],
  ['infinity', '{"prompt_tokens":1e400,"completion_tokens":1e400,"total_tokens":1e400}'],
];

for (const [name, lie] of lies)
  test(`a usage of ${name} is replaced by an estimate of what was received`, async () => {
    usage = lie;
    const paid = await cost();
    assert.ok(paid > 0.002 && paid < 0.02, `${paid} USD for ${text.length} characters at 10 USD a million tokens`);
  });

test('a true usage is paid to the nano-dollar', async () => {
  usage = { prompt_tokens: 3, completion_tokens: 400, total_tokens: 403 };
  assert.equal(await cost(), 0.004003);
});

for (const [name, lie] of [
  ['10^12 tokens of answer', { prompt_tokens: 3, completion_tokens: 1e12, total_tokens: 1e12 }],
  ['10^12 tokens of prompt', { prompt_tokens: 1e12, completion_tokens: 100, total_tokens: 1e12 }],
] as const)
  for (const model of ['goes-on', 'breaks'])
    test(`A16: ${name} told in the midst of a stream that ${model} cut nobody and are not paid`, async () => {
      usage = lie;
      const response = await ask(model, true);
      const text = await response.text();
      assert.match(text.slice(-400), model === 'breaks' ? /upstream_error/ : /\[DONE\]/);
      const id = response.headers.get('x-tollgate-request-id');
      const answer = await fetch(`${gateway.url}/admin/requests`, {
        headers: { authorization: `Bearer ${gateway.adminToken}` },
      });
      const { data } = (await answer.json()) as { data: { id: string; cost_nano_usd: number }[] };
      const paid = data.find((each) => each.id === id)?.cost_nano_usd ?? 0;
      assert.ok(paid > 4_000_000 && paid < 20_000_000, `${paid}`);
    });

test('names that a provider makes up fill neither the log nor the journal', async () => {
  const [before, size] = [gateway.log().length, journalBytes()];
  const named = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`tokens_of_kind_${index}`, 1]));
  usage = { prompt_tokens: 3, completion_tokens: 400, total_tokens: 403, ...named };
  await cost();
  usage = { prompt_tokens: 3, completion_tokens: 400, total_tokens: 403, ['x'.repeat(100_000)]: 1 };
  await cost();
  assert.ok(gateway.log().length - before < 8000, `${gateway.log().length - before} bytes of log`);
  assert.ok(journalBytes() - size < 8000, `${journalBytes() - size} bytes of journal`);
});

function journalBytes(): number {
  const folder = join(gateway.dataFolder, 'journal');
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}
