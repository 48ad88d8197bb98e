// Answers of other formats as OpenAI's own schema wants them: fields that must be there, words that may.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerContext } from '../../../test/answer-context.ts';
import { framesOf } from '../../../test/sse-frames.ts';
import type { Part } from '../../exchange/part.ts';
import { type Json, list, object } from '../json.ts';
import { openaiChat } from './codec.ts';

const context = () => answerContext({ created: 7 });

/** The only choice, whole and as its chunks, with what each way lost. */
function said(parts: readonly Part[]): { whole: Json; chunks: Json[]; lost: string[][] } {
  const encoded = openaiChat.encodeAnswer(parts, context());
  const encoder = openaiChat.streamEncoder(context());
  const frames = framesOf(parts.map((part) => encoder.push(part)).join(''));
  const choiceOf = (body: string): Json => object(list(object(JSON.parse(body)).choices)[0]);
  return {
    whole: choiceOf(encoded.body),
    chunks: frames.map((frame) => choiceOf(frame.data)),
    lost: [encoded.losses, encoder.losses?.() ?? []].map((losses) => losses.map((loss) => loss.field)),
  };
}

const text: Part = { type: 'text-delta', choice: 0, text: 'x' };
const call: Part = { type: 'tool-input-start', choice: 0, index: 0, id: 'a', name: 'f' };

test('log probabilities have both lists', () => {
  const content = [{ token: 'x', logprob: -0.1, bytes: [120], top_logprobs: [] }];
  const { whole, chunks } = said([{ ...text, logprobs: { content } }]);
  assert.deepEqual(whole.logprobs, { content, refusal: null });
  assert.deepEqual(chunks[0]?.logprobs, { content, refusal: null });
});

test('a citation without an address is no annotation, and told as a loss', () => {
  const citation = { origin: 'anthropic-messages', title: 'D', quote: 'q', start: 0, end: 1, raw: {} } as const;
  const { whole, chunks, lost } = said([text, { type: 'citation', choice: 0, citation }]);
  assert.equal(object(whole.message).annotations, undefined);
  assert.equal(chunks.length, 1);
  assert.deepEqual(lost, [['annotations'], ['annotations']]);
  const cited = said([text, { type: 'citation', choice: 0, citation: { ...citation, url: 'https://a' } }]);
  const annotation = {
    type: 'url_citation',
    url_citation: { url: 'https://a', title: 'D', start_index: 0, end_index: 1 },
  };
  assert.deepEqual(object(cited.whole.message).annotations, [annotation]);
  assert.deepEqual(object(cited.chunks[1]?.delta).annotations, [annotation]);
  assert.deepEqual(cited.lost, [[], []]);
});

for (const [name, parts, reason] of [
  ['text', [text], 'stop'],
  ['a call', [text, call], 'tool_calls'],
] as const) {
  test(`a whole answer that ends without saying why has a reason all the same: ${name}`, () => {
    const { whole } = said([...parts, { type: 'end' }]);
    assert.equal(whole.finish_reason, reason);
  });
}

test('sound has an id and an end, which is now: nobody keeps it for a later turn', () => {
  const sound = (data: string): Part => ({
    type: 'media',
    choice: 0,
    block: { type: 'audio', source: { kind: 'base64', data, mediaType: 'audio/pcm' } },
  });
  const { whole, chunks } = said([sound('AAAA'), sound('BBBB')]);
  const { id, ...rest } = object(object(whole.message).audio);
  assert.match(String(id), /^audio_./);
  assert.deepEqual(rest, { data: 'BBBB', expires_at: 7, transcript: '' });
  const ids = chunks.map((chunk) => object(object(chunk.delta).audio).id);
  assert.match(String(ids[0]), /^audio_./);
  assert.equal(ids[1], ids[0]);
});
