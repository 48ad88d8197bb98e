// Answers that came with status 200 and failed: whichever format the client speaks, it is told so, and the usage is kept.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerContext } from '../../test/answer-context.ts';
import { framesOf } from '../../test/sse-frames.ts';
import { type Format, formats } from '../exchange/format.ts';
import { openLane, passAnswer } from './translate.ts';

const gemini = (finishReason: string) => ({
  candidates: [{ content: { role: 'model', parts: [{ text: 'p' }] }, finishReason, index: 0 }],
  usageMetadata: { promptTokenCount: 4, candidatesTokenCount: 1, totalTokenCount: 5 },
});
const chat = (finish_reason: string) => ({
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'p' },
      delta: { role: 'assistant', content: 'p' },
      finish_reason,
    },
  ],
  usage: { prompt_tokens: 4, completion_tokens: 1, total_tokens: 5 },
});
const chatEnd = 'data: [DONE]\n\n';

const rows: readonly { provider: Format; word: string; answer: object; end: string }[] = [
  ...['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'TOO_MANY_TOOL_CALLS', 'MISSING_THOUGHT_SIGNATURE'].map(
    (word) => ({ provider: 'gemini-generate' as const, word, answer: gemini(word), end: '' }),
  ),
  ...['error', 'insufficient_system_resource'].map((word) => ({
    provider: 'openai-chat' as const,
    word,
    answer: chat(word),
    end: chatEnd,
  })),
];

for (const { provider, word, answer, end } of rows)
  for (const client of formats.filter((each) => each !== provider)) {
    test(`${client} from ${provider}: ${word} is a failure, whole and streamed`, () => {
      const whole = passAnswer(client, provider, Buffer.from(JSON.stringify(answer)), answerContext());
      assert.equal(whole.body, '');
      assert.equal(whole.failure?.status, 502);
      assert.match(whole.failure?.message ?? '', new RegExp(`\\b${word}\\b`));
      assert.equal(whole.usage?.output, 1);

      const lane = openLane(client, provider, answerContext());
      const glimpses = framesOf(`data: ${JSON.stringify(answer)}\n\n${end}`).map((frame) => lane.push(frame));
      const last = lane.end();
      const failure = [...glimpses, last].find((each) => each.failure)?.failure;
      assert.deepEqual(failure, whole.failure);
      assert.equal(last.complete, false);
      assert.equal(glimpses.find((each) => each.usage)?.usage?.output, 1, 'the usage was told before the failure');
      const shown = [...glimpses, last].map((each) => Buffer.from(each.out ?? '').toString('utf8')).join('');
      assert.doesNotMatch(shown, /finish_?reason": ?"|stop_reason":"|\[DONE\]|message_stop/i);
    });
  }
