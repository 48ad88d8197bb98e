// What whole answers become, in the provider's own format and in the others: a table of answers as providers write them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Format, formats } from '../src/exchange/format.ts';
import { openLane, passAnswer } from '../src/translate/translate.ts';
import { answerContext } from './answer-context.ts';
import { framesOf } from './sse-frames.ts';

const usageMetadata = { promptTokenCount: 5, totalTokenCount: 5 };

/** Bodies with status 200 that are no answers, or that are one although they say nothing. */
const empty: readonly (readonly [Format, string, Record<string, unknown>, 'unreadable' | undefined])[] = [
  ['gemini-generate', 'nothing', {}, 'unreadable'],
  ['gemini-generate', 'something else', { ok: true }, 'unreadable'],
  ['gemini-generate', 'no candidates', { candidates: [] }, 'unreadable'],
  ['gemini-generate', 'a bill alone', { usageMetadata, modelVersion: 'g' }, 'unreadable'],
  ['gemini-generate', 'a candidate without words', { candidates: [{ finishReason: 'STOP', index: 0 }] }, undefined],
  ['gemini-generate', 'a candidate without an end', { candidates: [{ content: { parts: [] } }] }, undefined],
  ['gemini-generate', 'a blocked prompt', { promptFeedback: { blockReason: 'SAFETY' } }, undefined],
  ['anthropic-messages', 'nothing', {}, 'unreadable'],
  ['anthropic-messages', 'something else', { ok: true }, 'unreadable'],
  ['anthropic-messages', 'no content', { type: 'message', usage: { input_tokens: 5 } }, 'unreadable'],
  ['anthropic-messages', 'no words', { type: 'message', content: [], stop_reason: 'end_turn' }, undefined],
  ['openai-chat', 'nothing', {}, 'unreadable'],
  ['openai-chat', 'something else', { ok: true }, 'unreadable'],
];

for (const [provider, name, body, failure] of empty) {
  test(`${provider} answers ${name}: ${failure ?? 'an answer'} to every client, its bill kept`, () => {
    for (const client of formats) {
      const out = passAnswer(client, provider, Buffer.from(JSON.stringify(body)), answerContext());
      assert.equal(out.failure?.kind, failure, client);
      const billed = 'usageMetadata' in body || 'usage' in body;
      assert.equal(out.usage?.input, billed ? 5 : undefined, client);
    }
  });
}

const cited: readonly (readonly [Format, Record<string, unknown>])[] = [
  [
    'openai-chat',
    {
      message: {
        role: 'assistant',
        content: 'Hello',
        annotations: [
          { type: 'url_citation', url_citation: { url: 'https://u', title: 'T', start_index: 0, end_index: 5 } },
        ],
      },
    },
  ],
  [
    'anthropic-messages',
    {
      type: 'text',
      text: 'Hello',
      citations: [{ type: 'web_search_result_location', url: 'https://u', title: 'T', cited_text: 'Hello' }],
    },
  ],
];

const grounding = [
  {
    groundingChunks: [{ web: { uri: 'https://u', title: 'T' } }],
    groundingSupports: [{ segment: { startIndex: 0, endIndex: 5, text: 'Hello' }, groundingChunkIndices: [0] }],
  },
];

function groundingOf(body: string): unknown[] {
  const { candidates } = JSON.parse(body) as { candidates: { groundingMetadata?: unknown }[] };
  return candidates.flatMap((candidate) => candidate.groundingMetadata ?? []);
}

test('a page that another provider cites has its address where Gemini writes it, whole and streamed', () => {
  for (const [provider, said] of cited) {
    const chat = provider === 'openai-chat';
    const whole = chat
      ? { choices: [{ index: 0, finish_reason: 'stop', ...said }] }
      : { type: 'message', content: [said], stop_reason: 'end_turn' };
    const out = passAnswer('gemini-generate', provider, Buffer.from(JSON.stringify(whole)), answerContext());
    assert.deepEqual(groundingOf(String(out.body)), grounding, provider);

    const events = chat
      ? [{ choices: [{ index: 0, delta: said.message, finish_reason: 'stop' }] }]
      : [
          { type: 'content_block_start', index: 0, content_block: said },
          { type: 'content_block_stop', index: 0 },
          { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: {} },
          { type: 'message_stop' },
        ];
    const lane = openLane('gemini-generate', provider, answerContext());
    const wire = `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}${chat ? 'data: [DONE]\n\n' : ''}`;
    const sent = framesOf(wire).map((frame) => String(lane.push(frame).out ?? ''));
    const streamed = framesOf(sent.join('') + String(lane.end().out ?? ''));
    assert.deepEqual(
      streamed.flatMap((frame) => groundingOf(frame.data)),
      grounding,
      provider,
    );
  }
});
