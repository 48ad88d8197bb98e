// What a provider tells while it streams: an input alone is heard too, and a count that is not believed costs nobody the rest.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Books, startBooks } from './kit.ts';

let books: Books;

before(async () => {
  books = await startBooks();
});
after(() => books.close());

test('B5: an input told before any output was counted frees what was set aside for a dearer one', async () => {
  const event = (type: string, more: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
  const usage = { input_tokens: 10, output_tokens: 0 };
  const message = { id: 'm', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, usage };
  const delta = { type: 'text_delta', text: ' word'.repeat(20) };
  const body = [
    event('message_start', { message }),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    ...Array.from({ length: 100 }, () => event('content_block_delta', { index: 0, delta })),
    event('content_block_stop', { index: 0 }),
    event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2000 } }),
    event('message_stop', {}),
  ].join('');
  books.upstream.bodies.set('early', Buffer.from(body));
  // The prompt is priced at 0.06 USD and more until the provider says that it has read ten tokens; the answer costs 0.03.
  const content = 'word '.repeat(20_000);
  const more = { max_tokens: 4000, messages: [{ role: 'user', content }] };
  const { text } = await books.ask(
    await books.keyWith('0.09 USD'),
    `messages/end-early-${body.length}`,
    more,
    '/v1/messages',
  );
  assert.match(text.slice(-300), /event: message_stop/);
});

test('a count below what there can be leaves the text to be counted: a line of dashes is no reason to be cut', async () => {
  const line = '-'.repeat(4000);
  const tokens = 63;
  const usage = { prompt_tokens: 9, completion_tokens: tokens, total_tokens: tokens + 9 };
  const piece = (delta: object, finish: string | null): string =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }], usage })}\n\n`;
  const body = `${piece({ content: line }, null)}${piece({}, 'stop')}data: [DONE]\n\n`;
  books.upstream.bodies.set('dashes', Buffer.from(body));
  // Pays for 200 tokens; the estimate takes the line for a thousand.
  const { text } = await books.ask(await books.keyWith('0.0033 USD'), `openai/end-dashes-${body.length}`, {
    max_tokens: 1000,
  });
  assert.match(text.slice(-300), /"finish_reason":"stop".*\[DONE\]/s);
});

/** A thousand times one word, which an estimate takes for 1,500 tokens. */
function again(): string {
  const event = (type: string, more: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
  const usage = { input_tokens: 10, output_tokens: 1 };
  const message = { id: 'm', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, usage };
  const delta = { type: 'text_delta', text: ' quick' };
  const body = [
    event('message_start', { message }),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    ...Array.from({ length: 1000 }, () => event('content_block_delta', { index: 0, delta })),
    event('content_block_stop', { index: 0 }),
    event('message_delta', { delta: { stop_reason: 'max_tokens' }, usage: { output_tokens: 1000 } }),
    event('message_stop', {}),
  ].join('');
  books.upstream.bodies.set('again', Buffer.from(body));
  return `messages/end-again-${body.length}`;
}

// Each pays for 1,400 tokens, where a count comes to 1,250 at most and the limit is 1,000.
for (const [what, budget, maxCost] of [
  ['a budget', '0.0213 USD', undefined],
  ['X-Tollgate-Max-Cost', '100 USD', '0.0213'],
] as const)
  test(`one word again and again is taken for half as much again as it is, and ${what} cuts nobody for that`, async () => {
    const response = await fetch(`${books.gateway.url}/v1/messages`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await books.keyWith(budget)}`,
        ...(maxCost ? { 'x-tollgate-max-cost': maxCost } : {}),
      },
      body: JSON.stringify({
        model: again(),
        stream: true,
        max_tokens: 1000,
        messages: [{ role: 'user', content: 'Say hello.' }],
      }),
    });
    assert.match((await response.text()).slice(-300), /event: message_stop/);
  });

/** Tokens of one piece; a thousand of them cost 0.33 USD. */
const pieceTokens = 22;
const piece = 'the house by the sea is old and its door is open '.repeat(2);
const tells = (index: number, last: number): Record<string, unknown> => ({
  chat: {
    choices: [{ index: 0, delta: { content: piece }, finish_reason: index === last ? 'stop' : null }],
    usage: {
      prompt_tokens: 9,
      completion_tokens: pieceTokens * (index + 1),
      total_tokens: 9 + pieceTokens * (index + 1),
    },
  },
  openai: {
    choices: [{ index: 0, delta: { content: piece }, finish_reason: index === last ? 'stop' : null }],
    usage: {
      prompt_tokens: 9,
      completion_tokens: pieceTokens * (index + 1),
      total_tokens: 9 + pieceTokens * (index + 1),
    },
  },
  gemini: {
    candidates: [
      {
        content: { role: 'model', parts: [{ text: piece }] },
        index: 0,
        ...(index === last ? { finishReason: 'STOP' } : {}),
      },
    ],
    usageMetadata: {
      promptTokenCount: 9,
      candidatesTokenCount: pieceTokens * (index + 1),
      totalTokenCount: 9 + pieceTokens * (index + 1),
    },
  },
});

for (const provider of ['openai', 'chat', 'gemini'])
  test(`A20: a count with each event of text is paid for as it grows (${provider})`, async () => {
    const pieces = Array.from(
      { length: 1000 },
      (_, index) => `data: ${JSON.stringify(tells(index, 999)[provider])}\n\n`,
    );
    const body = `${pieces.join('')}${provider === 'gemini' ? '' : 'data: [DONE]\n\n'}`;
    books.upstream.bodies.set('each', Buffer.from(body));
    const poor = await books.ask(await books.keyWith('0.02 USD'), `${provider}/end-each-${body.length}`);
    assert.match(poor.text.slice(-400), /budget_exceeded/);
    const words = poor.text.split('the house').length / 2;
    assert.ok(words * pieceTokens * 15_000 <= 20_000_000 + 64 * 15_000, `${words} pieces were delivered`);
    const rich = await books.ask(await books.keyWith('5 USD'), `${provider}/end-each-${body.length}`);
    assert.match(rich.text.slice(-100), /\[DONE\]/);
  });
