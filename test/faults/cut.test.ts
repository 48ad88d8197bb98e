// A provider's stream cut at every byte, cleanly and by a destroyed socket: the format's own official library raises, as
// long as the event that ends the answer is not whole. A cut that looked like an answer would be believed.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Format } from '../../src/exchange/format.ts';
import { anthropicDriver } from '../clients/anthropic.ts';
import type { Answer, Driver, MakeDriver } from '../clients/driver.ts';
import { googleDriver } from '../clients/google.ts';
import { openaiDriver } from '../clients/openai.ts';
import { type Recording, recordings } from '../recordings.ts';
import { wholeStream } from '../upstream.ts';
import { formats, providerOf, startWorld, type World } from './kit.ts';

const drivers: Readonly<Record<Format, MakeDriver>> = {
  'openai-chat': openaiDriver,
  'anthropic-messages': anthropicDriver,
  'gemini-generate': googleDriver,
};

const apis: Readonly<Record<Format, string>> = {
  'openai-chat': 'chat',
  'anthropic-messages': 'messages',
  'gemini-generate': 'generateContent',
};

/** What each format ends its answer with. OpenAI's is not always sent: see `wholeFrom`. */
const terminators: Readonly<Record<Format, string>> = {
  'openai-chat': 'data: [DONE]',
  'anthropic-messages': 'event: message_stop',
  'gemini-generate': '"finishReason"',
};

const ways = ['end', 'cut'] as const;
type Way = (typeof ways)[number];

const recordedBytesMax = 1500;
const crossedOffsets = 24;
const atOnce = 20;

/** The names under which the upstream plays a stream are letters only. */
interface Stream {
  readonly name: string;
  readonly provider: Format;
  readonly bytes: Buffer;
}

function streams(provider: Format): Stream[] {
  const named = (letter: string, bytes: Buffer): Stream => ({ name: providerOf[provider] + letter, provider, bytes });
  const found = recorded(provider);
  return [named('written', wholeStream(provider, 'written')), ...(found ? [named('recorded', found)] : [])];
}

/** The shortest recorded text in at least two events of candidates. */
function recorded(provider: Format): Buffer | undefined {
  const short = ({ response, fidelity }: Recording): boolean => {
    const text = response.sse_text ?? '';
    const frames = text.split('data:').length - 1;
    return fidelity === 'raw' && frames > 1 && text.length < recordedBytesMax && text.includes(terminators[provider]);
  };
  const plain = recordings(apis[provider], ({ status, tags }) => status === 200 && tags.join() === 'stream');
  const [shortest] = [...plain]
    .filter(short)
    .map(({ response }) => Buffer.from(response.sse_text ?? ''))
    .sort((one, other) => one.length - other.length);
  return shortest;
}

/** What the library is told, by the way of the cut: any other error would prove nothing. */
const reasons: Readonly<Record<Way, string>> = {
  end: 'the provider ended its stream before the answer was whole',
  cut: 'the provider closed the connection before its answer was whole',
};

/** Bytes from which the answer is whole: a blank line closes the event, and its second CR is enough. */
function wholeFrom({ provider, bytes }: Stream, way: Way): number {
  const text = bytes.toString('latin1');
  const closedAfter = (from: number): number => {
    const blank = /\r\n\r|\n\n/g;
    blank.lastIndex = from;
    assert.ok(from >= 0 && blank.test(text));
    return blank.lastIndex;
  };
  // Gemini has no last event: after a finish only the body's own end says that no more was to come.
  if (provider === 'gemini-generate' && way === 'cut') return Number.POSITIVE_INFINITY;
  // Some speakers of OpenAI's format send no [DONE]: where usage followed the finish, a clean end is an end.
  const usage = text.lastIndexOf('"usage":{');
  if (provider === 'openai-chat' && way === 'end' && usage >= 0) return closedAfter(usage);
  return closedAfter(text.lastIndexOf(terminators[provider]));
}

let world: World;
const all = formats.flatMap(streams);

before(async () => {
  world = await startWorld();
  for (const { name, bytes } of all) world.upstream.bodies.set(name, bytes);
});
after(() => world.close());

type Told = { readonly answer: Answer } | { readonly error: unknown };

async function told(driver: Driver, { name, provider }: Stream, way: Way, offset: number): Promise<Told> {
  const model = `${providerOf[provider]}/${way}-${name}-${offset}`;
  return driver.stream({ model, turns: [{ role: 'user', text: 'Say hello.' }], retries: 0 }).then(
    (answer) => ({ answer }),
    (error: unknown) => ({ error }),
  );
}

/** Works through the offsets, a few at once; the offsets of those that were not told as they should be. */
async function wrong(client: Format, stream: Stream, way: Way, offsets: readonly number[]): Promise<string[]> {
  const driver = drivers[client](world.gateway);
  const whole = wholeFrom(stream, way);
  const failures: string[] = [];
  const queue = offsets.values();
  const work = async (): Promise<void> => {
    for (const offset of queue) {
      const outcome = await told(driver, stream, way, offset);
      const said = 'error' in outcome ? driver.failure(outcome.error).message : `answered "${outcome.answer.text}"`;
      const right = 'error' in outcome ? offset < whole && said.includes(reasons[way]) : offset >= whole;
      if (!right) failures.push(`${offset} of ${stream.bytes.length}, whole from ${whole}: ${said}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return failures;
}

for (const stream of all)
  for (const way of ways)
    test(`I6, I7: ${stream.name}: ${way} at every byte`, async () => {
      const offsets = Array.from({ length: stream.bytes.length + 1 }, (_, offset) => offset);
      const before = world.upstream.calls.length;
      assert.deepEqual(await wrong(stream.provider, stream, way, offsets), []);
      assert.ok(world.upstream.calls.length >= before + offsets.length, 'each was asked of the provider');
    });

for (const stream of all.filter(({ name }) => name.endsWith('written')))
  for (const client of formats.filter((format) => format !== stream.provider))
    test(`I6, I7: a client of ${client} and ${stream.name}: both ways at sampled bytes`, async () => {
      // A stride that shares no factor with the length visits places all over the stream, the same ones each time.
      const length = stream.bytes.length + 1;
      const offsets = Array.from({ length: crossedOffsets }, (_, index) => (index * 7919) % length);
      for (const way of ways) assert.deepEqual(await wrong(client, stream, way, offsets), []);
    });
