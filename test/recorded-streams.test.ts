// Every recorded stream through the real frame reader, cut in every way a network can cut it, down every lane: the
// client's bytes, the usage and the end do not depend on the cuts.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { seeded } from '../bench/plan.ts';
import type { AnswerContext, Lane } from '../src/exchange/codec.ts';
import { type Format, formats } from '../src/exchange/format.ts';
import type { Frame } from '../src/exchange/frame.ts';
import type { Part } from '../src/exchange/part.ts';
import type { Usage } from '../src/exchange/usage.ts';
import { createFrameReader } from '../src/stream/reader.ts';
import { codecs, openLane } from '../src/translate/translate.ts';
import { answerContext } from './answer-context.ts';
import { type Recording, recordings, recordingsAbsent, recordingsFolder } from './recordings.ts';
import { framesOf } from './sse-frames.ts';

const skip = recordingsFolder ? false : recordingsAbsent;
const apis: Record<Format, string> = {
  'openai-chat': 'chat',
  'anthropic-messages': 'messages',
  'gemini-generate': 'generateContent',
};
const seeds = [1, 2, 3, 4];

const counts = new Map<string, number>();
after(() => {
  for (const [what, number] of [...counts].sort()) console.log(`${String(number).padStart(5)} ${what}`);
});
const counted = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);

/** Two clients: one sees the provider's bytes, the other what the gateway edits in them. */
const manners: Readonly<Record<string, Partial<AnswerContext>>> = {
  plain: {},
  edited: { framing: 'json-array', wantsUsage: false, price: (usage) => ({ cost: usage.output * 1000, saved: 1 }) },
};

function context(manner = 'plain'): AnswerContext {
  return answerContext(manners[manner]);
}

/** The same bytes in pieces of the lengths that `next` gives. */
function* cut(bytes: Buffer, next: () => number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const to = at + Math.max(1, next());
    yield bytes.subarray(at, to);
    at = to;
  }
}

interface Cutting {
  readonly name: string;
  readonly frames: readonly Frame[];
}

function read(name: string, bytes: Buffer, next: () => number): Cutting {
  const reader = createFrameReader(64 * 1024 * 1024);
  const frames: Frame[] = [];
  for (const piece of cut(bytes, next)) {
    const whole = reader.push(piece);
    assert.ok(whole, 'no event of a recording is too large');
    frames.push(...whole);
  }
  const rest = reader.rest();
  if (rest && name === 'whole' && rest.data !== '')
    counted('exception: the last event was never closed by a blank line: read here, but broken to the pump');
  if (rest) frames.push(rest);
  return { name, frames };
}

function cuttings(recording: Recording, bytes: Buffer): Cutting[] {
  const made = [read('byte by byte', bytes, () => 1)];
  for (const seed of seeds) {
    const random = seeded(seed);
    // Short pieces and long ones: most networks send whole events, some send halves.
    made.push(read(`seed ${seed}`, bytes, () => Math.ceil(random() ** 3 * 1500)));
  }
  const sizes = recording.response.recorded_chunk_bytes;
  if (sizes) {
    let index = 0;
    made.push(read('as recorded', bytes, () => sizes[index++] ?? bytes.length));
  }
  return made;
}

function said(frames: readonly Frame[]): string[] {
  return frames.filter((frame) => frame.data !== '').map((frame) => `${frame.event}\n${frame.data}`);
}

function partsOf(format: Format, frames: readonly Frame[]): Part[] {
  const decoder = codecs[format].streamDecoder();
  return [...frames.flatMap((frame) => decoder.push(frame)), ...decoder.end()];
}

interface Driven {
  out: string;
  usage: Usage | undefined;
  model: string | undefined;
  failure: string | undefined;
  complete: boolean;
}

/** As the pump drives a lane: nothing is shown behind the terminator or a failure, but usage still counts. */
function drive(lane: Lane, frames: readonly Frame[]): Driven {
  const driven = driveRaw(lane, frames);
  // A CRLF that the network tore behind the terminator loses its second half, which means nothing.
  return { ...driven, out: driven.out.trimEnd() };
}

function driveRaw(lane: Lane, frames: readonly Frame[]): Driven {
  const driven: Driven = { out: '', usage: undefined, model: undefined, failure: undefined, complete: false };
  let ended = false;
  const take = (glimpse: ReturnType<Lane['push']>): void => {
    driven.usage = glimpse.usage ?? driven.usage;
    driven.model = glimpse.model ?? driven.model;
    if (ended) return;
    driven.failure = glimpse.failure?.message;
    if (driven.failure === undefined && glimpse.out !== undefined)
      driven.out += Buffer.from(glimpse.out).toString('utf8');
    ended = glimpse.ends === true;
  };
  for (const frame of frames) {
    take(lane.push(frame));
    if (driven.failure !== undefined) return driven;
  }
  if (ended) return { ...driven, complete: true };
  const last = lane.end();
  take(last);
  return { ...driven, complete: last.complete };
}

/** Each lane from this provider's format, to each client in each manner. */
function driveAll(format: Format, frames: readonly Frame[]): Record<string, Driven> {
  const all: Record<string, Driven> = {};
  for (const client of formats) {
    for (const manner of Object.keys(manners)) {
      all[`${client} ${manner}`] = drive(openLane(client, format, context(manner)), frames);
    }
  }
  return all;
}

function checkStream(recording: Recording, format: Format, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  const whole = read('whole', bytes, () => bytes.length);
  assert.deepEqual(said(whole.frames), said(framesOf(text)), 'the reader finds the events that plain splitting finds');
  const parts = partsOf(format, whole.frames);
  const expected = driveAll(format, whole.frames);
  checkOwn(format, text, expected[`${format} plain`]);
  const returns = Buffer.from(text.replaceAll('\r\n', '\n').replaceAll('\n', '\r\n'), 'utf8');
  assert.deepEqual(said(read('CRLF byte by byte', returns, () => 1).frames), said(whole.frames), 'CRLF byte by byte');
  for (const { name, frames } of cuttings(recording, bytes)) {
    assert.equal(Buffer.compare(Buffer.concat(frames.map((frame) => frame.bytes)), bytes), 0, `${name}: all bytes`);
    assert.deepEqual(said(frames), said(whole.frames), name);
    assert.deepEqual(partsOf(format, frames), parts, name);
    assert.deepEqual(driveAll(format, frames), expected, name);
    counted(`${format}: cuttings`);
  }
  counted(`${format}: streams`);
}

/** The same format passes the same bytes up to its terminator. */
function checkOwn(format: Format, text: string, own: Driven | undefined): void {
  assert.ok(own);
  if (own.failure !== undefined) {
    counted(`${format}: exception: fails in the stream: ${own.failure.slice(0, 60)}`);
    return;
  }
  assert.equal(own.out, text.slice(0, own.out.length));
  const behind = text.slice(own.out.length).trim();
  if (behind !== '') counted(`${format}: exception: shown no further than the terminator`);
  assert.ok(own.complete, 'complete');
}

for (const format of formats) {
  test(`${format}: a stream is the same however it is cut`, { skip }, () => {
    const failures: string[] = [];
    let streams = 0;
    for (const recording of recordings(apis[format])) {
      const text = recording.response.sse_text;
      if (text === undefined || !/^(data|event|:)/m.test(text)) continue;
      streams++;
      try {
        checkStream(recording, format, text);
      } catch (error) {
        failures.push(`${recording.id}: ${String(error).slice(0, 600)}`);
      }
    }
    assert.ok(streams > 0);
    assert.equal(failures.length, 0, `${failures.length} failed\n${failures.slice(0, 12).join('\n')}`);
  });
}
