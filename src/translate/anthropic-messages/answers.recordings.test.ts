// Every recorded answer and stream: the same bytes but for owned fields, the same parts however it is carried, the
// provider's usage bucket by bucket.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOf, fold, framesOf } from '../../../test/messages-kit.ts';
import { type Recording, recordings, recordingsAbsent, recordingsFolder } from '../../../test/recordings.ts';
import type { Frame } from '../../exchange/frame.ts';
import type { Part } from '../../exchange/part.ts';
import type { Usage } from '../../exchange/usage.ts';
import { isObject, type Json, object, parse } from '../json.ts';
import { anthropicMessages as codec } from './codec.ts';

const skip = recordingsFolder ? false : recordingsAbsent;
const price = (usage: Usage) => ({ cost: usage.input + 1, saved: 7 });

function* answers(): Generator<{ recording: Recording; body: Json }> {
  for (const recording of recordings('messages')) {
    if (isObject(recording.response.body)) yield { recording, body: recording.response.body };
  }
}

function* streams(): Generator<{ recording: Recording; sse: string }> {
  for (const recording of recordings('messages')) {
    if (recording.response.sse_text !== undefined) yield { recording, sse: recording.response.sse_text };
  }
}

/** The buckets computed from the raw fields a second time, plainly. */
function bucketsOf(wire: Json): Record<string, unknown> {
  const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
  const thinking = number(object(wire.output_tokens_details).thinking_tokens);
  const creation = object(wire.cache_creation);
  const hour = number(creation.ephemeral_1h_input_tokens);
  return {
    input: number(wire.input_tokens),
    cacheRead: number(wire.cache_read_input_tokens),
    cacheWrite5m: number(wire.cache_creation_input_tokens) - hour,
    cacheWrite1h: hour,
    output: number(wire.output_tokens) - thinking,
    reasoning: thinking,
    webSearches: number(object(wire.server_tool_use).web_search_requests),
  };
}

function assertBuckets(usage: Usage | undefined, wire: Json, id: string): void {
  assert.ok(usage, id);
  for (const [bucket, value] of Object.entries(bucketsOf(wire))) {
    assert.equal(usage[bucket as 'input'], value, `${id} ${bucket}`);
  }
  const total = Object.entries(usage).reduce((sum, [, value]) => sum + (typeof value === 'number' ? value : 0), 0);
  const expected = Object.values(bucketsOf(wire)).reduce<number>((sum, value) => sum + Number(value), 0);
  assert.equal(total, expected, `${id}: a bucket beyond these`);
}

test('whole answers pass, decode and encode', { skip }, () => {
  const counts = new Map<string, number>();
  const unknown = new Set<string>();
  for (const { recording, body } of answers()) {
    const raw = Buffer.from(JSON.stringify(body, undefined, 1));
    const out = codec.passAnswer(raw, contextOf(price));
    if (recording.response.status !== 200) {
      assert.ok(out.failure, recording.id);
      const failure = codec.decodeError(recording.response.status, raw, {});
      assert.equal(failure.status, recording.response.status);
      assert.equal(failure.message, object(body.error).message);
      continue;
    }
    const after = object(parse(out.body.toString()));
    const { cost, saved, ...usage } = object(after.usage);
    assert.deepEqual([cost, saved], [(Number(usage.input_tokens) + 1) / 1e9, 7 / 1e9]);
    assert.deepEqual({ ...after, usage }, body, recording.id);
    assertBuckets(out.usage, object(body.usage), recording.id);
    for (const name of Object.keys(out.usage?.unknown ?? {})) unknown.add(name);

    const parts = codec.decodeAnswer(body);
    const again = codec.encodeAnswer(parts, contextOf());
    assert.deepEqual(again.losses, [], recording.id);
    assertSameFold(parts, codec.decodeAnswer(parse(again.body)), recording.id);
    counts.set(recording.provider, (counts.get(recording.provider) ?? 0) + 1);
  }
  for (const [provider, count] of counts) console.log(`answers ${provider}: ${count}`);
  console.log(`usage that no bucket covers: ${[...unknown].join(', ')}`);
});

/**
 * Usage beyond the buckets (other models' passes) is not shown to a client of another format; everything else is.
 * Citations lose nothing but the offsets, which depend on how text blocks were joined.
 */
function assertSameFold(before: readonly Part[], after: readonly Part[], id: string): void {
  const plain = (parts: readonly Part[]): unknown =>
    fold(parts).map((each) => {
      if (each.kind === 'usage') return { ...each, usage: { ...object(each.usage), unknown: undefined } };
      return each.kind === 'citation' ? { ...each, citation: object(each.citation).raw } : each;
    });
  assert.deepEqual(plain(after), plain(before), id);
}

function decodeAll(frames: readonly Frame[]): Part[] {
  const decoder = codec.streamDecoder();
  return [...frames.flatMap((frame) => decoder.push(frame)), ...decoder.end()];
}

function encodeAll(parts: readonly Part[]): string {
  const encoder = codec.streamEncoder(contextOf());
  return parts.map((part) => encoder.push(part)).join('') + encoder.end();
}

test('streams pass untouched but for the price', { skip }, () => {
  let count = 0;
  for (const { recording, sse } of streams()) {
    const lane = codec.passStream(contextOf(price));
    let out = '';
    let usage: Usage | undefined;
    let wire: Json = {};
    let characters = 0;
    let ends = 0;
    const frames = framesOf(sse);
    for (const frame of frames) {
      const glimpse = lane.push(frame);
      assert.equal(glimpse.failure, undefined, recording.id);
      const event = object(parse(frame.data));
      if (event.type === 'message_start') wire = object(object(event.message).usage);
      if (event.type === 'message_delta') wire = { ...wire, ...withoutNulls(object(event.usage)) };
      if (event.type !== 'message_delta') assert.equal(glimpse.out, frame.bytes);
      if (glimpse.usage) usage = glimpse.usage;
      if (glimpse.ends) ends++;
      const delta = object(event.delta);
      const said = String(delta.text ?? delta.thinking ?? delta.partial_json ?? '');
      assert.ok(glimpse.characters >= said.length, `${recording.id}: ${glimpse.characters} < ${said.length}`);
      characters += glimpse.characters;
      out += glimpse.out?.toString() ?? '';
    }
    assertBuckets(usage, wire, recording.id);
    assert.ok(ends >= 1 && lane.end().complete, recording.id);
    assert.ok(characters >= 0);
    const withoutPrice = out.replace(/"cost":[\d.e-]+,"saved":[\d.e-]+,/g, '').replace(/"saved":[\d.e-]+,/g, '');
    // OpenRouter sends a cost of its own in the same place: ours replaces it.
    if (!sse.includes('"cost"')) assert.equal(withoutPrice, frames.map((frame) => frame.bytes).join(''), recording.id);
    assert.ok(out.includes('"saved"'), recording.id);
    count++;
  }
  console.log(`streams passed: ${count}`);
});

function withoutNulls(value: Json): Json {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== null));
}

test('streams decode, encode and decode to the same', { skip }, () => {
  const counts = new Map<string, number>();
  for (const { recording, sse } of streams()) {
    // Several answers glued together by the recorder: no client or provider of this format sends that.
    if (recording.tags.includes('concatenated_streams')) continue;
    const parts = decodeAll(framesOf(sse));
    assert.equal(parts.at(-1)?.type, 'end', recording.id);
    const again = decodeAll(framesOf(encodeAll(parts)));
    const sorted = (list: readonly Part[]): Part[] => [
      ...list.filter((part) => part.type !== 'refusal-delta'),
      ...list.filter((part) => part.type === 'refusal-delta'),
    ];
    assertSameFold(sorted(parts), sorted(again).filter(isNotTheRefusalAsText(parts)), recording.id);
    // Arguments cut off by the limit are no JSON: a whole answer, unlike a stream, has no way to say so.
    if (fold(parts).some((each) => each.kind === 'tool' && !isObject(each.input))) {
      assert.notDeepEqual(codec.encodeAnswer(parts, contextOf()).losses, []);
      continue;
    }
    const whole = codec.decodeAnswer(parse(codec.encodeAnswer(parts, contextOf()).body));
    assertSameFold(sorted(parts), sorted(whole).filter(isNotTheRefusalAsText(parts)), recording.id);
    counts.set(recording.provider, (counts.get(recording.provider) ?? 0) + 1);
  }
  for (const [provider, count] of counts) console.log(`streams ${provider}: ${count}`);
});

/** A refusal that came without any content is also shown as text, since clients print the first block. */
function isNotTheRefusalAsText(parts: readonly Part[]): (part: Part) => boolean {
  const bare = !parts.some((part) => part.type === 'text-delta' || part.type === 'reasoning-delta');
  const refused = parts.some((part) => part.type === 'refusal-delta');
  return (part) => !(bare && refused && part.type === 'text-delta');
}

test('line ends and padding of the frames do not matter', { skip }, () => {
  for (const { recording, sse } of streams()) {
    const parts = decodeAll(framesOf(sse));
    const plain = sse.replace(/\r\n/g, '\n');
    assert.deepEqual(decodeAll(framesOf(plain.replace(/\n/g, '\r\n'))), parts, recording.id);
    const nameless = framesOf(plain.replace(/^event: .*\n/gm, ''));
    assert.deepEqual(decodeAll(nameless), parts, recording.id);
    const lane = codec.passStream(contextOf(price));
    const usages = nameless.map((frame) => lane.push(frame).usage).filter((usage) => usage !== undefined);
    assert.ok(usages.length > 0 && lane.end().complete, recording.id);
  }
});

test('a stream cut anywhere is not complete and gives no end', { skip }, () => {
  for (const { recording, sse } of streams()) {
    if (recording.tags.includes('concatenated_streams')) continue;
    const frames = framesOf(sse);
    const last = frames.findIndex((frame) => object(parse(frame.data)).type === 'message_stop');
    for (const cut of [1, Math.floor(last / 2), last]) {
      const lane = codec.passStream(contextOf());
      for (const frame of frames.slice(0, cut)) lane.push(frame);
      assert.equal(lane.end().complete, false);
      assert.ok(!decodeAll(frames.slice(0, cut)).some((part) => part.type === 'end'));
    }
  }
});
