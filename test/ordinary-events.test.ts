// Events that are told from the one before by their likeness say exactly what a parse of each would say: over every
// recorded stream, and over seeded ones that are made to mislead.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seeded } from '../bench/plan.ts';
import type { AnswerContext } from '../src/exchange/codec.ts';
import { type Format, formats } from '../src/exchange/format.ts';
import { Frame } from '../src/exchange/frame.ts';
import type { Part } from '../src/exchange/part.ts';
import { noUsage } from '../src/exchange/usage.ts';
import { textInside } from '../src/meter/frame-text.ts';
import { emptySpan, valueAt } from '../src/translate/openai-chat/scan.ts';
import { fits, type Shape, shapeOf } from '../src/translate/openai-chat/shape.ts';
import { codecs, openLane } from '../src/translate/translate.ts';
import { answerContext } from './answer-context.ts';
import { chunkHead, misleading, opened, type Provider, plain, providers } from './misleading-streams.ts';
import { recordings, recordingsAbsent, recordingsFolder } from './recordings.ts';
import { framesOf, isJson } from './sse-frames.ts';

const skip = recordingsFolder ? false : recordingsAbsent;

function context(): AnswerContext {
  return answerContext({ model: 'model "1"' });
}

/** The same events, each behind a comment of its own: no two look alike, so that each is parsed. */
function parsedOneByOne(frames: readonly Frame[]): Frame[] {
  return frames.map((frame, at) => new Frame(Buffer.concat([Buffer.from(`: ${at}\n`), frame.bytes])));
}

function partsOf(format: Format, frames: readonly Frame[]): Part[][] {
  const decoder = codecs[format].streamDecoder();
  return [...frames.map((frame) => decoder.push(frame)), decoder.end()];
}

/** What each event gives: bytes, counts and all. */
function crossed(client: Format, provider: Format, frames: readonly Frame[]): unknown[] {
  const lane = openLane(client, provider, context());
  return [...frames.map((frame) => lane.push(frame)), lane.end(), lane.losses?.()];
}

function assertAlike(provider: Provider, frames: readonly Frame[], name: string): void {
  const alone = parsedOneByOne(frames);
  assert.deepEqual(partsOf(provider, frames), partsOf(provider, alone), name);
  for (const client of formats.filter((each) => each !== provider)) {
    const given = crossed(client, provider, frames);
    assert.deepEqual(given, crossed(client, provider, alone), `${name} to ${client}`);
    assertCanonical(given, `${name} to ${client}`);
  }
}

/** Words that a lane has found are those that a parse would find. */
function assertWordsFound(client: Format, provider: Provider, frames: readonly Frame[], name: string): number {
  const lane = openLane(client, provider, context());
  let found = 0;
  for (const frame of frames) {
    lane.push(frame);
    if (frame.words === undefined) continue;
    found++;
    // A padding that is no JSON spoils the parse of its event, and not the words before it.
    if (isJson(frame.data)) assert.equal(frame.words, textInside(frame.data), name);
  }
  return found;
}

/** A chunk told by its words alone counts as one whose delta was scanned. */
function assertScansAlike(frames: readonly Frame[], name: string): number {
  let shape: Shape | undefined;
  let told = 0;
  for (const { latin1 } of frames) {
    const [span, scanned] = [emptySpan(), emptySpan()];
    if (shape && fits(latin1, { ...shape, words: undefined }, scanned)) {
      assert.ok(fits(latin1, shape, span), name);
      assert.deepEqual({ ...span, wordsFrom: 0, wordsTo: 0 }, scanned, name);
      if (shape.words && latin1.startsWith(shape.words.before)) told++;
    } else {
      assert.ok(!shape || !fits(latin1, shape, span), name);
      shape = valueAt(latin1, '"delta"') < 0 ? shape : (shapeOf(latin1, false, span) ?? shape);
    }
  }
  return told;
}

/** Nothing leaves behind the end, and each line of data is what `JSON.stringify` writes, although most are put together from pieces. */
function assertCanonical(glimpses: readonly unknown[], name: string): void {
  let ended = false;
  for (const glimpse of glimpses) {
    const { out, ends } = (glimpse ?? {}) as { out?: unknown; ends?: boolean };
    assert.ok(!ended || out === undefined, name);
    ended ||= ends === true;
    for (const line of typeof out === 'string' ? out.split('\n') : []) {
      const json = /^data: (\{.*)$/.exec(line)?.[1];
      if (json !== undefined) assert.equal(json, JSON.stringify(JSON.parse(json)), name);
    }
  }
}

for (const provider of Object.keys(providers) as Provider[]) {
  test(`every recorded stream of ${provider}, told by likeness and parsed event by event`, { skip }, () => {
    let streams = 0;
    for (const { id, response } of recordings(providers[provider])) {
      if (response.sse_text === undefined) continue;
      streams++;
      assertAlike(provider, framesOf(response.sse_text), id);
    }
    assert.ok(streams > 100, `${streams} streams`);
  });

  test(`seeded streams of ${provider} that are made to mislead`, () => {
    for (let seed = 1; seed <= 400; seed++) {
      const chance = seeded(seed);
      const frames = framesOf(misleading(provider, chance));
      assertAlike(provider, frames, `seed ${seed}`);
    }
  });

  test(`of an ordinary stream of ${provider} only a few events are parsed`, (context) => {
    const opening = opened[provider];
    const frames = framesOf(
      opening + Array.from({ length: 200 }, (_, at) => plain[provider](`word \\"${at}`)).join(''),
    );
    const decoder = codecs[provider].streamDecoder();
    const parse = context.mock.method(JSON, 'parse');
    const parts = frames.flatMap((frame) => decoder.push(frame));
    assert.equal(parts.filter((part) => part.type === 'text-delta').length, 200);
    const whole = parse.mock.calls.filter((call) => String(call.arguments[0]).startsWith('{'));
    assert.ok(whole.length < 10, `${whole.length} parses of whole events`);
  });
}

test('the words that lanes have found without a parse are those that a parse finds', () => {
  let found = 0;
  for (const provider of Object.keys(providers) as Provider[]) {
    for (const { id, response } of recordings(providers[provider]))
      for (const client of formats) found += assertWordsFound(client, provider, framesOf(response.sse_text ?? ''), id);
    for (let seed = 1; seed <= 400; seed++) {
      const stream = misleading(provider, seeded(seed));
      for (const client of formats) found += assertWordsFound(client, provider, framesOf(stream), `seed ${seed}`);
    }
  }
  assert.ok(found > 100, `${found} found`);
});

test('chunks that are told by their words alone count as those whose delta is scanned', () => {
  let told = 0;
  for (let seed = 1; seed <= 400; seed++) {
    told += assertScansAlike(framesOf(misleading('openai-chat', seeded(seed))), `seed ${seed}`);
  }
  for (const { id, response } of recordings('chat')) told += assertScansAlike(framesOf(response.sse_text ?? ''), id);
  assert.ok(told > 100, `${told} told`);
});

test('a stream of nothing but ordinary events begins and can be finished like any other', () => {
  const frames = (provider: Provider): Frame[] =>
    framesOf(opened[provider] + plain[provider]('one') + plain[provider]('two') + plain[provider]('three'));
  const toChat = openLane('openai-chat', 'anthropic-messages', context());
  const chunks = frames('anthropic-messages').map((frame) => String(toChat.push(frame).out));
  const delta = (text: string): unknown =>
    (JSON.parse(text.slice(6)) as { choices: { delta: unknown }[] }).choices[0]?.delta;
  assert.deepEqual(chunks.slice(-3).map(delta), [
    { role: 'assistant', content: 'one' },
    { content: 'two' },
    { content: 'three' },
  ]);
  assert.match(toChat.finish(noUsage()) ?? '', /"finish_reason":"length".*\n\ndata: \[DONE\]\n\n$/s);
  const toMessages = openLane('anthropic-messages', 'openai-chat', context());
  const events = frames('openai-chat').map((frame) => toMessages.push(frame).out);
  assert.equal(
    events.at(-1),
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"three"}}\n\n',
  );
  assert.match(toMessages.finish(noUsage()) ?? '', /content_block_stop.*"stop_reason":"max_tokens".*message_stop/s);
});

test('a service tier that one event says is not that of the event before', () => {
  const said = (tier: string, choice: string): string =>
    `data: {${chunkHead},"service_tier":"${tier}","choices":[${choice}]}\n\n`;
  const words = (text: string): string => `{"index":0,"delta":{"content":"${text}"}}`;
  const stream =
    said('flex', words('a')) +
    said('flex', words('b')) +
    said('priority', '{"index":0,"delta":{}}') +
    said('flex', words('c')) +
    said('flex', words('d')) +
    `data: {${chunkHead},"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":4}}\n\n`;
  const parts = partsOf('openai-chat', framesOf(stream)).flat();
  const usage = parts.find((part) => part.type === 'usage');
  assert.equal(usage?.usage.tier, 'flex');
});

test('what learning costs is bounded where no two events are alike', (context) => {
  const frames = Array.from({ length: 200 }, (_, at) =>
    framesOf(`data: {"id":"${at}","choices":[{"index":0,"delta":{"content":"word"}}]}\n\n`),
  ).flat();
  const decoder = codecs['openai-chat'].streamDecoder();
  const parse = context.mock.method(JSON, 'parse');
  for (const frame of frames) decoder.push(frame);
  assert.ok(parse.mock.callCount() < 220, `${parse.mock.callCount()} parses of 200 events`);
});
