// Pictures, sources and proofs in a stream: no model wrote them word by word, so that they neither cut it nor are paid as text.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Books, startBooks } from './kit.ts';

let books: Books;

before(async () => {
  books = await startBooks();
});
after(() => books.close());

const words = ' some words of an answer'.repeat(4);
const page = 'a page that was found. '.repeat(500);
const encoded = Buffer.alloc(200_000, 'picture').toString('base64');

const piece = (more: object): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', ...more })}\n\n`;
const delta = (said: object, finish: string | null = null): string =>
  piece({ choices: [{ index: 0, delta: said, finish_reason: finish }] });
const event = (type: string, more: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
const inBlock = (said: object): string => event('content_block_delta', { index: 0, delta: said });
const candidate = (more: object, told: object = {}): string =>
  `data: ${JSON.stringify({ candidates: [{ content: { role: 'model', parts: [{ text: words }] }, index: 0, ...more }], ...told })}\r\n\r\n`;

const chat = (extra: object): string =>
  [
    delta({ content: words }),
    delta(extra),
    delta({ content: words }),
    delta({}, 'stop'),
    piece({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 80, total_tokens: 89 } }),
    'data: [DONE]\n\n',
  ].join('');
const usage = { input_tokens: 9, output_tokens: 1 };
const message = { id: 'm', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, usage };
const messages = (extra: object): string =>
  [
    event('message_start', { message }),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    inBlock({ type: 'text_delta', text: words }),
    inBlock(extra),
    inBlock({ type: 'text_delta', text: words }),
    event('content_block_stop', { index: 0 }),
    event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 80 } }),
    event('message_stop', {}),
  ].join('');
const source = { type: 'web_search_result_location', url: 'u', title: 't', cited_text: page, encrypted_index: encoded };
const counts = { promptTokenCount: 9, candidatesTokenCount: 80, totalTokenCount: 89 };

const cases: readonly (readonly [string, string, string])[] = [
  [
    'a picture',
    'openai',
    chat({ images: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${encoded}` } }] }),
  ],
  ['a picture as content', 'openai', chat({ content: [{ type: 'image_url', image_url: { url: encoded } }] })],
  ['sources', 'openai', chat({ annotations: [{ type: 'url_citation', url_citation: { url: 'u', content: page } }] })],
  ['a source', 'messages', messages({ type: 'citations_delta', citation: source })],
  ['a proof', 'messages', messages({ type: 'signature_delta', signature: encoded })],
  [
    'sources',
    'gemini',
    candidate({}) +
      candidate({ groundingMetadata: { searchEntryPoint: { renderedContent: page } } }) +
      candidate({ finishReason: 'STOP' }, { usageMetadata: counts }),
  ],
];

cases.forEach(([what, provider, stream], at) => {
  for (const lines of ['\n', '\r\n'])
    test(`C9: ${what} in a stream of ${provider} with ${JSON.stringify(lines)} cuts nobody, and its broken half is paid by its words`, async () => {
      const bytes = Buffer.from(stream.replaceAll(/\r?\n/g, lines));
      const name = `case${'abcdefgh'[at]}${lines.length === 2 ? 'x' : ''}`;
      books.upstream.bodies.set(name, bytes);
      const ask = async (model: string, limit: string): Promise<{ text: string; id: string }> => {
        const path =
          provider === 'messages'
            ? '/v1/messages'
            : `/v1beta/models/${encodeURIComponent(model)}:streamGenerateContent?alt=sse`;
        const more = { max_tokens: 4000, contents: [{ role: 'user', parts: [{ text: 'Say hello.' }] }] };
        return books.ask(await books.keyWith(limit), model, more, provider === 'openai' ? undefined : path);
      };
      // Pays for 600 tokens.
      const whole = await ask(`${provider}/end-${name}-${bytes.length}`, '0.009 USD');
      assert.equal(books.receiptOf(whole.id).ending, 'completed', whole.text.slice(-300));
      // Its end is missing, and with it the count.
      const half = bytes.lastIndexOf(
        provider === 'messages' ? 'message_delta' : provider === 'openai' ? 'stop' : 'STOP',
      );
      const broken = await ask(`${provider}/end-${name}-${half - 200}`, '9 USD');
      const { ending, cost } = books.receiptOf(broken.id);
      assert.equal(ending, 'failed');
      assert.ok(cost < 400 * 15_000, `${cost} nano-USD`);
    });
});
