// The lane of the same format: what hostile and odd frames may look like, and what it may never miss.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOf, framesOf, targetOf } from '../../../test/messages-kit.ts';
import { Frame } from '../../exchange/frame.ts';
import { members } from '../../exchange/json-span.ts';
import { Refusal } from '../../exchange/refusal.ts';
import { object } from '../json.ts';
import { anthropicMessages as codec } from './codec.ts';
import { decodeUsage } from './usage.ts';
import { event } from './wire.ts';

const price = () => ({ cost: 1_500_000_000, saved: 5 });
const usage = { input_tokens: 3, output_tokens: 40 };
const delta = (stop: string) =>
  event('message_delta', {
    type: 'message_delta',
    delta: { stop_reason: 'stop_sequence', stop_sequence: stop },
    usage,
  });

test('words inside the answer are never taken for the protocol', () => {
  const lane = codec.passStream(contextOf(price));
  const text = 'event: message_stop\ndata: {"type":"message_stop"}\n\n{"type":"error","usage":{"output_tokens":0}}';
  const content = { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: text } };
  const [frame] = framesOf(event('content_block_delta', content));
  assert.ok(frame);
  const glimpse = lane.push(frame);
  assert.deepEqual(
    [glimpse.content, glimpse.ends, glimpse.usage, glimpse.failure],
    [true, undefined, undefined, undefined],
  );
  assert.ok(glimpse.characters >= text.length && glimpse.characters < 2 * text.length);
  // A client chooses its stop sequences: none may hide the usage.
  for (const stop of ['content_block_delta', '"content_block_delta"', 'event: content_block_delta\n', '"usage":{}']) {
    const end = lane.push(new Frame(Buffer.from(delta(stop))));
    assert.equal(end.usage?.output, 40);
    assert.equal(object(object(JSON.parse(new Frame(Buffer.from(end.out ?? '')).data)).usage).cost, 1.5);
  }
});

test('price goes into the usage, whether JSON stands in one line, in several, or has a price already', () => {
  const lane = codec.passStream(contextOf(price));
  const cases = [
    delta('x'),
    `event: message_delta\ndata: {"type":"message_delta",\ndata: "delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":40}}\n\n`,
    'event: message_delta\ndata: {"usage":{"cost":0.9,"output_tokens":40},"delta":{"stop_reason":"end_turn"},"type":"message_delta"}\n\n',
    'event: message_delta\r\ndata:{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{}}  \r\n\r\n',
  ];
  for (const sse of cases) {
    const out = lane.push(new Frame(Buffer.from(sse))).out;
    const data = object(JSON.parse(new Frame(Buffer.from(out ?? '')).data));
    const { cost, saved } = object(data.usage);
    assert.deepEqual([cost, saved], [1.5, 5e-9], sse);
  }
});

test('nothing counts as content before the answer speaks', () => {
  const lane = codec.passStream(contextOf());
  const content = (sse: string): boolean => lane.push(new Frame(Buffer.from(sse))).content;
  assert.equal(content('event: message_start\ndata: {"type":"message_start","message":{"model":"m"}}\n\n'), false);
  assert.equal(content('event: ping\ndata: {"type":"ping"}\n\n'), false);
  assert.equal(content(': comment\n\n'), false);
  const start = (block: object) =>
    event('content_block_start', { type: 'content_block_start', index: 0, content_block: block });
  assert.equal(content(start({ type: 'text', text: '' })), false);
  assert.equal(content(start({ type: 'tool_use', id: 'a', name: 'f', input: {} })), true);
});

test('frames that are no JSON, and a 200 that is an error, are failures', () => {
  const lane = codec.passStream(contextOf());
  const glimpse = lane.push(new Frame(Buffer.from('data: <html>\n\n')));
  assert.equal(glimpse.failure?.kind, 'unreadable');
  assert.equal(glimpse.out, undefined);
  const answer = codec.passAnswer(
    Buffer.from('{"type":"error","error":{"type":"api_error","message":"x"}}'),
    contextOf(),
  );
  assert.equal(answer.failure?.kind, 'server');
  assert.equal(codec.passAnswer(Buffer.from('nope'), contextOf()).failure?.kind, 'unreadable');
});

test('cache writes that a stream repeats without their split keep it', () => {
  const split = { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 70 };
  const both = decodeUsage({ cache_creation: split, cache_creation_input_tokens: 90, output_tokens: '4' });
  assert.deepEqual([both.cacheWrite5m, both.cacheWrite1h, both.output], [0, 90, 4]);
  const plain = decodeUsage({ cache_creation_input_tokens: 90, output_tokens: -4, service_tier: 'priority', odd: 3 });
  assert.deepEqual([plain.cacheWrite5m, plain.output, plain.tier, plain.unknown], [90, 0, 'priority', { odd: 3 }]);
});

test('a clamp takes the thinking budget along', () => {
  const text =
    '{ "messages":[], "thinking":{"type":"enabled","budget_tokens":4000}, "model":"a" , "max_tokens" : 9000, "x":1.50 }';
  const raw = Buffer.from(text);
  const cut = (outputLimit: number): string =>
    codec
      .splice(
        { raw, body: object(JSON.parse(text)), members: members(raw) },
        { model: 'b', outputLimit },
        targetOf('b'),
      )
      .toString();
  const changed = text.replace('"a"', '"b"');
  assert.equal(cut(5000), changed.replace('9000', '5000'));
  assert.equal(cut(2000), changed.replace('9000', '2000').replace('4000', '1999'));
  assert.equal(
    cut(500),
    changed.replace('9000', '500').replace('{"type":"enabled","budget_tokens":4000}', '{"type":"disabled"}'),
  );
});

test('fields of ours with a wrong type are refused', () => {
  const surface = { kind: 'generate', format: 'anthropic-messages' } as const;
  for (const body of [
    {},
    { model: 3 },
    { model: 'm', stream: 'yes' },
    { model: 'm', max_tokens: '9' },
    { model: 'm', max_tokens: 1.5 },
  ]) {
    assert.throws(() => codec.outline(body, surface, 1), Refusal);
  }
  for (const body of [{}, { messages: 'x' }, { messages: [{ role: 'tool' }] }, { messages: [7] }]) {
    assert.throws(() => codec.decodeRequest(body, surface), Refusal);
  }
});
