// What answers cost at the packaged catalogue: recorded ones from the provider's own usage, documented ones by hand. The
// expected sums are written as tokens times USD per million (which is milli-USD per thousand: a factor of 1,000 to nano).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadCatalogue } from '../../src/config/catalogue.ts';
import type { Format } from '../../src/exchange/format.ts';
import { noUsage, type Usage } from '../../src/exchange/usage.ts';
import { createPrices } from '../../src/price/price.ts';
import { codecs, openLane } from '../../src/translate/translate.ts';
import { readRecording, recordingIndex, recordingsAbsent, recordingsFolder } from '../recordings.ts';
import { framesOf } from '../sse-frames.ts';

const skip = recordingsFolder ? false : recordingsAbsent;
const prices = createPrices(loadCatalogue());
const at = Date.parse('2026-11-21T12:00:00Z');

function costOf(provider: string, model: string, usage: Usage): { cost: number; unpriced: readonly string[] } {
  const rate = prices.rate({ provider: { name: provider, catalogue: provider }, model }, [], at);
  assert.ok(rate, `${provider}/${model} has a price`);
  return prices.cost(usage, rate);
}

const recorded: readonly [what: string, id: string, format: Format, provider: string, model: string, nano: number][] = [
  [
    'a paid web search beside the tokens',
    'anthropic-messages-013f522b1a-0',
    'anthropic-messages',
    'anthropic',
    'claude-sonnet-4-20250514',
    300 * 3000 + 95 * 15_000 + 10_000_000,
  ],
  [
    'five-minute cache writes, cache reads, thinking inside the output',
    'anthropic-messages-4518911b56-1',
    'anthropic-messages',
    'anthropic',
    'claude-sonnet-5',
    6 * 2000 + 574 * 2500 + 20_443 * 200 + 489 * 10_000,
  ],
  [
    'cached tokens inside the prompt, documents among them',
    'google-generateContent-0a17a578a7-2',
    'gemini-generate',
    'google',
    'gemini-2.5-flash',
    115 * 300 + 230 * 30 + 37 * 2500,
  ],
  [
    'audio in, thoughts beside the answer',
    'google-generateContent-0a279ff490-0',
    'gemini-generate',
    'google',
    'gemini-2.5-flash',
    43 * 300 + 33 * 1000 + 61 * 2500,
  ],
  [
    'an image in',
    'google-generateContent-c835ad0329-0',
    'gemini-generate',
    'google',
    'gemini-2.5-flash',
    267 * 300 + 146 * 2500,
  ],
  [
    'what tools put into the prompt',
    'google-generateContent-4da512a9c3-0',
    'gemini-generate',
    'google',
    'gemini-2.5-flash',
    (32 + 2395) * 300 + 88 * 2500,
  ],
  [
    'a grounded prompt of generation 2.5',
    'google-generateContent-ab6dff6f85-0',
    'gemini-generate',
    'google',
    'gemini-2.5-flash',
    (31 + 73) * 300 + (73 + 77) * 2500 + 35_000_000,
  ],
  [
    'a grounding query of generation 3, the empty one free',
    'google-generateContent-c4cb53d967-1',
    'gemini-generate',
    'google',
    'gemini-3-flash-preview',
    (440 + 86) * 500 + 27 * 3000 + 14_000_000,
  ],
  [
    'audio in',
    'openai-chat-93337b753b-0',
    'openai-chat',
    'openai',
    'gpt-audio-mini-2025-12-15',
    16 * 600 + 4 * 10_000 + 49 * 2400,
  ],
  [
    'audio out',
    'openai-chat-d5f4bac4d4-0',
    'openai-chat',
    'openai',
    'gpt-audio-mini-2025-12-15',
    14 * 600 + 17 * 2400 + 51 * 20_000,
  ],
  [
    'flex as the answer says, reasoning included',
    'openai-chat-00530bde94-4',
    'openai-chat',
    'openai',
    'gpt-5-nano-2025-08-07',
    (8 * 50 + 368 * 400) / 2,
  ],
  [
    'priority as the answer says',
    'openai-chat-afd1e31e35-0',
    'openai-chat',
    'openai',
    'gpt-5-2025-08-07',
    (8 * 1250 + 82 * 10_000) * 2,
  ],
];

for (const [what, id, format, provider, model, nano] of recorded) {
  test(`E11: ${provider}: ${what}`, { skip }, () => {
    const entry = recordingIndex().find((each) => each.id === id);
    assert.ok(entry, `the recordings have ${id}`);
    const parts = codecs[format].decodeAnswer(readRecording(entry).response.body);
    const usage = parts.findLast((part) => part.type === 'usage')?.usage;
    assert.ok(usage);
    assert.deepEqual(costOf(provider, model, usage), { cost: nano, unpriced: [] });
  });
}

const documented: readonly [what: string, provider: string, model: string, usage: Partial<Usage>, nano: number][] = [
  [
    'E1: three uncached tokens and a five-minute write',
    'anthropic',
    'claude-sonnet-4-5',
    { input: 3, cacheWrite5m: 12_304, output: 550 },
    54_399_000,
  ],
  ['E11: a one-hour write is twice the input', 'anthropic', 'claude-sonnet-4-5', { cacheWrite1h: 1000 }, 6_000_000],
  [
    'E7: a batch with cache reads and writes is half of everything',
    'anthropic',
    'claude-haiku-4-5',
    { input: 1000, cacheRead: 10_000, cacheWrite5m: 2000, output: 500, tier: 'batch' },
    (1_000_000 + 1_000_000 + 2_500_000 + 2_500_000) / 2,
  ],
  [
    'E7: a long batch is half of the long price',
    'google',
    'gemini-2.5-pro',
    { input: 200_001, output: 1000, tier: 'batch' },
    (200_001 * 2500 + 1000 * 15_000) / 2,
  ],
  [
    'E7: a batch with cached input',
    'openai',
    'gpt-4o',
    { input: 1000, cacheRead: 500, output: 100, tier: 'batch' },
    (2_500_000 + 625_000 + 1_000_000) / 2,
  ],
  ['E3: 272,000 is the low tier', 'openai', 'gpt-6-sol', { input: 272_000 }, 272_000 * 2000],
  ['E3: 272,001 is the high tier', 'openai', 'gpt-6-sol', { input: 272_001 }, 272_001 * 4000],
  [
    'E6: fast mode is six times the tokens, and a search is not',
    'anthropic',
    'claude-opus-4-6',
    { input: 1000, output: 10, webSearches: 1, tier: 'fast' },
    (5_000_000 + 250_000) * 6 + 10_000_000,
  ],
  [
    'E11: inference pinned to one country',
    'anthropic',
    'claude-opus-4-6',
    { input: 1000, output: 10, unknown: { 'inference_geo.us': 1 } },
    5_775_000,
  ],
  [
    'E11: grounding with maps, a prompt',
    'google',
    'gemini-2.5-flash',
    { input: 10, unknown: { googleMapsPrompts: 1 } },
    25_003_000,
  ],
  [
    'E11: cached audio has a price of its own',
    'google',
    'gemini-2.5-flash',
    { cacheRead: 1000, cacheReadAudio: 1000 },
    130_000,
  ],
  [
    'E11: a search model of Chat Completions searches in each request',
    'openai',
    'gpt-4o-search-preview',
    { input: 10, output: 10 },
    25_125_000,
  ],
  [
    'E11: a search of stored files',
    'openai',
    'gpt-4.1',
    { input: 1000, unknown: { file_search: 2 } },
    2_000_000 + 5_000_000,
  ],
  [
    'E11: citation tokens of a research',
    'perplexity',
    'sonar-deep-research',
    { input: 100, output: 100, reasoning: 1000, webSearches: 4, unknown: { citation_tokens: 500 } },
    200_000 + 800_000 + 3_000_000 + 20_000_000 + 1_000_000,
  ],
  ['E11: images made, by token', 'google', 'gemini-2.5-flash-image', { input: 10, outputImage: 1290 }, 38_703_000],
  ['E11: a fine-tuned model', 'openai', 'ft:gpt-4o-2024-08-06:acme::x', { input: 1000, output: 100 }, 5_250_000],
];

for (const [what, provider, model, used, nano] of documented) {
  test(`${what} (${provider}/${model})`, () => {
    assert.deepEqual(costOf(provider, model, { ...noUsage(), ...used }), { cost: nano, unpriced: [] });
  });
}

const chunk = (more: object): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o', ...more })}\n\n`;
const usage = { prompt_tokens: 1000, completion_tokens: 20, total_tokens: 1020 };
const choices = (delta: object, finish: string | null = null) => [{ index: 0, delta, finish_reason: finish }];
const role = choices({ role: 'assistant', content: '' });
const done = 'data: [DONE]\n\n';
const [hello, world, stop] = [choices({ content: 'hello' }), choices({ content: ' world' }), choices({}, 'stop')];

const positions: Readonly<Record<string, readonly string[]>> = {
  'in the first chunk': [
    chunk({ choices: role, usage }),
    ...[hello, world, stop].map((each) => chunk({ choices: each })),
    done,
  ],
  'in the last content chunk': [
    ...[role, hello].map((each) => chunk({ choices: each })),
    chunk({ choices: world, usage }),
    chunk({ choices: stop }),
    done,
  ],
  'with the finish reason': [
    ...[role, hello, world].map((each) => chunk({ choices: each })),
    chunk({ choices: stop, usage }),
    done,
  ],
  'in a chunk of its own after the finish': [
    ...[role, hello, world, stop].map((each) => chunk({ choices: each })),
    chunk({ choices: [], usage }),
    done,
  ],
  'after the terminator': [
    ...[role, hello, world, stop].map((each) => chunk({ choices: each })),
    done,
    chunk({ choices: [], usage }),
  ],
  'cumulative in every chunk': [role, hello, world, stop]
    .map((each, index) =>
      chunk({
        choices: each,
        usage: {
          ...usage,
          completion_tokens: [0, 5, 12, 20][index],
          total_tokens: 1000 + ([0, 5, 12, 20][index] ?? 0),
        },
      }),
    )
    .concat(done),
};

for (const [where, frames] of Object.entries(positions)) {
  test(`E10: usage ${where} costs the same`, () => {
    const lane = openLane('openai-chat', 'openai-chat', {
      requestId: 'r',
      model: 'gpt-4o',
      created: 1,
      framing: 'sse',
      wantsUsage: true,
      id: (prefix) => prefix,
      price: () => undefined,
    });
    let told: Usage | undefined;
    for (const frame of framesOf(frames.join(''))) told = lane.push(frame).usage ?? told;
    told = lane.end().usage ?? told;
    assert.ok(told);
    assert.equal(costOf('openai', 'gpt-4o', told).cost, 1000 * 2500 + 20 * 10_000);
  });
}

test('E6: a tier that has no price is charged whole and named, never dropped', () => {
  assert.deepEqual(
    costOf('aws', 'anthropic.claude-3-haiku-20240307-v1:0', { ...noUsage(), input: 1000, tier: 'batch' }),
    {
      cost: 250_000,
      unpriced: ['tier:batch'],
    },
  );
});
