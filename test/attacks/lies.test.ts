// A provider whose usage cannot be true: it neither makes an answer free nor empties a budget.

import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { type GatewayProcess, startGateway } from '../gateway.ts';

const text = 'some words of an answer '.repeat(75);
let usage: unknown;
let provider: Server;
let gateway: GatewayProcess;

before(async () => {
  provider = createServer((incoming, reply) => {
    incoming.resume();
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
      prices: { 'liar/*': { input: 1, output: 10 } },
      budgets: [{ scope: 'global', limit: '1 USD', per: 'day' }],
    },
  });
});
after(async () => {
  await gateway.close();
  provider.close();
});

async function cost(): Promise<number> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'liar/m', messages: [{ role: 'user', content: 'hi' }] }),
  });
  assert.equal(response.status, 200, await response.clone().text());
  return Number(response.headers.get('x-tollgate-cost'));
}

const lies: readonly [string, unknown][] = [
  ['nothing', {}],
  ['null', null],
  ['negative counts', { prompt_tokens: -5, completion_tokens: -1000, total_tokens: -1005 }],
  ['words for counts', { prompt_tokens: 'many', completion_tokens: [], total_tokens: {} }],
  ['10^18 tokens', { prompt_tokens: 1e18, completion_tokens: 1e18, total_tokens: 2e18 }],
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
