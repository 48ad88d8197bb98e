// Ways to have a provider work for little or nothing: counts that never came, answers nobody waits for, a dear second target.

import assert from 'node:assert/strict';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { type GatewayProcess, startGateway } from '../gateway.ts';

const text = ' some words of an answer'.repeat(100);
/** The text has 500 tokens; an estimate may be above it, and not below. */
const least = 500 * 10_000;

let provider: Server;
let gateway: GatewayProcess;
let calls = 0;
let posted = 0;

before(async () => {
  provider = createServer((incoming, reply) => {
    let body = '';
    incoming.on('data', (chunk: Buffer) => {
      body += chunk.toString('utf8');
    });
    incoming.on('end', () => {
      calls++;
      answer(/"stream":true|:stream/.test(body + incoming.url) ? 'stream' : 'whole', body + incoming.url, reply);
    });
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  const common = { auth: 'none', billing: { abort_stops: true, low_water: 64 } };
  gateway = await startGateway({
    config: {
      providers: {
        chat: { format: 'openai-chat', base_url: `${base}/v1`, ...common },
        messages: { format: 'anthropic-messages', base_url: `${base}/v1`, ...common },
        gemini: { format: 'gemini-generate', base_url: `${base}/v1beta`, ...common },
      },
      prices: {
        'chat/*': { input: 1, output: 10 },
        'messages/*': { input: 1, output: 10 },
        'gemini/*': { input: 1, output: 10 },
        'chat/dear': { input: 100, output: 100 },
      },
      models: { spread: { targets: ['chat/fails', 'chat/dear'] } },
      budgets: [{ scope: 'global', limit: '100 USD', per: 'day' }],
    },
  });
});
after(async () => {
  await gateway.close();
  provider.closeAllConnections();
  provider.close();
});
beforeEach(async () => {
  calls = 0;
  posted = await spent();
});

function answer(kind: 'stream' | 'whole', asked: string, reply: ServerResponse): void {
  if (asked.includes('never')) return;
  if (asked.includes('fails')) return void reply.writeHead(503, { 'content-type': 'application/json' }).end('{}');
  reply.writeHead(200, { 'content-type': kind === 'stream' ? 'text/event-stream' : 'application/json' });
  const usage = { prompt_tokens: 10, completion_tokens: 1, total_tokens: 11 };
  const say = (event: object): string => `data: ${JSON.stringify(event)}\n\n`;
  if (asked.includes('gemini')) {
    const part = { content: { parts: [{ text }], role: 'model' }, index: 0, finishReason: 'STOP' };
    return void reply.end(
      say({ candidates: [part], usageMetadata: { promptTokenCount: 10, totalTokenCount: 10 } }).replaceAll(
        '\n',
        '\r\n',
      ),
    );
  }
  if (asked.includes('messages-of')) {
    const message = { id: 'm', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null };
    reply.write(say({ type: 'message_start', message: { ...message, usage: { input_tokens: 10, output_tokens: 1 } } }));
    reply.write(say({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }));
    reply.write(say({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }));
    reply.write(say({ type: 'content_block_stop', index: 0 }));
    reply.write(say({ type: 'message_delta', delta: { stop_reason: 'end_turn' } }));
    return void reply.end(say({ type: 'message_stop' }));
  }
  const head = { id: 'c', created: 1, model: 'm' };
  if (kind === 'whole') {
    const choices = [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }];
    return void reply.end(JSON.stringify({ ...head, object: 'chat.completion', choices, usage }));
  }
  const chunk = { ...head, object: 'chat.completion.chunk' };
  reply.write(say({ ...chunk, choices: [], usage }));
  reply.write(say({ ...chunk, choices: [{ index: 0, delta: { content: text }, finish_reason: null }] }));
  reply.write(say({ ...chunk, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }));
  reply.end('data: [DONE]\n\n');
}

function ask(body: object, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
  return fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'Write.' }], ...body }),
    ...(signal ? { signal } : {}),
  });
}

async function budget(): Promise<{ posted: number; held: number }> {
  const response = await fetch(`${gateway.url}/admin/budgets`, {
    headers: { authorization: `Bearer ${gateway.adminToken}` },
  });
  const { data } = (await response.json()) as { data: { posted: number; held: number }[] };
  return data[0] ?? { posted: 0, held: 0 };
}

/** Nano-USD once nothing is held. */
async function spent(): Promise<number> {
  for (;;) {
    const { posted, held } = await budget();
    if (held === 0) return Math.round(posted * 1e9);
  }
}

for (const [model, stream] of [
  ['chat/m', false],
  ['chat/m', true],
  ['messages/messages-of', true],
  ['gemini/gemini', true],
] as const)
  test(`A16: ${model}, ${stream ? 'a stream' : 'whole'}: a count from before the answer had begun is no bill for it`, async () => {
    const response = await ask({ model, stream });
    assert.equal(response.status, 200);
    await response.text();
    const paid = (await spent()) - posted;
    assert.ok(paid >= least && paid < 3 * least, `${paid}`);
  });

for (const [how, headers, signal] of [
  ['its client leaves', {}, 500],
  ['its own time is over', { 'x-tollgate-timeout': '500ms' }, undefined],
] as const)
  test(`C2: a whole answer is paid by the time it was worked on when ${how}`, async () => {
    const leaves = signal === undefined ? undefined : AbortSignal.timeout(signal);
    await ask({ model: 'chat/never' }, headers, leaves).then(
      (response) => assert.equal(response.status, 504),
      () => assert.ok(leaves?.aborted),
    );
    const paid = (await spent()) - posted;
    // A hundred tokens a second; the busiest machine does not make ten seconds of a half.
    assert.ok(paid > 40 * 10_000 && paid < 1000 * 10_000, `${paid}`);
  });

test('X-Tollgate-Max-Cost holds for a second target too', async () => {
  const content = 'word '.repeat(2000);
  const response = await ask(
    { model: 'spread', messages: [{ role: 'user', content }] },
    { 'x-tollgate-max-cost': '0.01' },
  );
  const { error } = (await response.json()) as { error: { code: string; param: string } };
  assert.deepEqual(
    [response.status, error.code, error.param, calls],
    [402, 'budget_exceeded', 'X-Tollgate-Max-Cost', 1],
  );
  assert.equal(await spent(), posted);
});

for (const choices of [{ n: 1e15 }, { best_of: 1e13 }, { n: 1e15, max_tokens: 1 }])
  test(`${JSON.stringify(choices)} is the client's mistake and no fault of the gateway`, async () => {
    const response = await ask({ model: 'chat/m', ...choices });
    assert.deepEqual([response.status, calls], [400, 0]);
  });
