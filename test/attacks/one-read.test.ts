// A provider whose answer comes in one piece, its end included, while the money of its middle is still being counted.

import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { type GatewayProcess, startGateway } from '../gateway.ts';

const words = ' the quick brown fox'.repeat(300);
/** One token a word, in the vocabulary that counts `gpt-` models. */
const tokens = 1200;

let provider: Server;
let gateway: GatewayProcess;

before(async () => {
  const event = (more: object): string =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', ...more })}\n\n`;
  const piece = (delta: object, finish: string | null): string =>
    event({ choices: [{ index: 0, delta, finish_reason: finish }] });
  const usage = { prompt_tokens: 9, completion_tokens: tokens, total_tokens: tokens + 9 };
  const head = piece({ role: 'assistant', content: '' }, null) + piece({ content: words }, null);
  const tail = `${piece({}, 'stop')}${event({ choices: [], usage })}data: [DONE]\n\n`;
  provider = createServer((incoming, reply) => {
    incoming.resume();
    incoming.on('end', () => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      // What is written in one turn leaves as one piece.
      reply.write(head);
      reply.end(tail);
    });
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  const { port } = provider.address() as AddressInfo;
  gateway = await startGateway({
    config: {
      providers: { chat: { format: 'openai-chat', base_url: `http://127.0.0.1:${port}/v1`, auth: 'none' } },
      prices: { 'chat/*': { input: 1, output: 10 } },
      // Pays for the answer and 160 tokens: less than its first estimate, so that the text is counted.
      budgets: [{ scope: 'key:*', limit: '0.0137 USD', per: 'lifetime' }],
    },
  });
});
after(async () => {
  await gateway.close();
  provider.closeAllConnections();
  provider.close();
});

test('I6: an answer whose end came while its middle was counted is whole', async () => {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'chat/gpt-one-piece',
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: 'Write.' }],
    }),
  });
  const text = await response.text();
  const told = text.matchAll(/"finish_reason":"(\w+)"|"completion_tokens":(\d+)|\[DONE\]|"code":"(\w+)"/g);
  const ending = ['"finish_reason":"stop"', `"completion_tokens":${tokens}`, '[DONE]'];
  assert.deepEqual(
    Array.from(told, ([whole]) => whole),
    ending,
    text.slice(-400),
  );
});
