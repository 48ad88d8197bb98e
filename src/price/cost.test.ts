import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outline } from '../exchange/outline.ts';
import type { Rate } from '../exchange/rate.ts';
import { type Bucket, noUsage, type Usage } from '../exchange/usage.ts';
import { cost } from './cost.ts';
import { withFallbacks } from './fallback.ts';
import { lacks } from './lacks.ts';

const perMillion = (usd: number): number => usd * 1e6;

function flat(prices: Partial<Record<Bucket, number>>, more: Partial<Rate> = {}): Rate {
  return { version: 'test', longContext: 'whole_request', tiers: [{ above: 0, prices }], services: {}, ...more };
}

const sonnet = {
  input: perMillion(3),
  cacheRead: perMillion(0.3),
  cacheWrite5m: perMillion(3.75),
  output: perMillion(15),
};

test('E1: a cache write is charged once, and the uncached tokens are not forgotten', () => {
  const usage = { ...noUsage(), input: 3, cacheWrite5m: 12_304, output: 550 };
  assert.deepEqual(cost(usage, flat(sonnet)), { cost: 54_399_000, unpriced: [] });
});

const longContext: Rate = {
  ...flat({}),
  tiers: [
    { above: 0, prices: { input: perMillion(3), output: perMillion(15), cacheRead: perMillion(0.3) } },
    { above: 200_000, prices: { input: perMillion(6), output: perMillion(22.5), cacheRead: perMillion(0.6) } },
  ],
};

const tierCases: readonly [string, Partial<Usage>, Rate['longContext'], number][] = [
  ['200,000 is the low tier', { input: 200_000, output: 1000 }, 'whole_request', 615_000_000],
  ['200,001 is the high tier on every token', { input: 200_001, output: 1000 }, 'whole_request', 1_222_506_000],
  ['cached tokens count towards the tier', { input: 1, cacheRead: 200_000 }, 'whole_request', 120_006_000],
  ['marginal: only what is past the start is dearer', { input: 200_001, output: 1000 }, 'marginal', 615_006_000],
];

for (const [name, usage, shape, nano] of tierCases) {
  test(`E3, E4: long context: ${name}`, () => {
    assert.deepEqual(cost({ ...noUsage(), ...usage }, { ...longContext, longContext: shape }), {
      cost: nano,
      unpriced: [],
    });
  });
}

test('E6: service tiers: the one the provider returned, fees by piece unscaled, an unknown one named', () => {
  const rate = flat({ ...sonnet, webSearches: 10_000_000_000 }, { services: { flex: [1, 2], priority: [7, 4] } });
  const usage = { ...noUsage(), input: 1000, output: 100, webSearches: 1 };
  assert.equal(cost(usage, rate).cost, 14_500_000);
  assert.equal(cost({ ...usage, tier: 'default' }, rate).cost, 14_500_000);
  assert.equal(cost({ ...usage, tier: 'flex' }, rate).cost, 12_250_000);
  assert.equal(cost({ ...usage, tier: 'priority' }, rate).cost, 17_875_000);
  assert.deepEqual(cost({ ...usage, tier: 'constructor' }, rate), {
    cost: 14_500_000,
    unpriced: ['tier:constructor'],
  });
});

test('E5: a bucket without a price is named, and so is a usage field nobody knows', () => {
  const usage = {
    ...noUsage(),
    input: 10,
    inputAudio: 5,
    webSearches: 1,
    unknown: { prediction_tokens: 3, nothing: 0 },
  };
  assert.deepEqual(cost(usage, flat(sonnet)), {
    cost: 30_000,
    unpriced: ['inputAudio', 'webSearches', 'usage:prediction_tokens'],
  });
});

test('written fallbacks and no others', () => {
  const declared = flat({ input: 1000, output: 4000 });
  const everywhere = {
    input: 1000,
    output: 4000,
    reasoning: 4000,
    cacheRead: 1000,
    cacheReadAudio: 1000,
    inputImage: 1000,
  };
  assert.deepEqual(withFallbacks(declared, 'openai').tiers[0].prices, everywhere);
  assert.deepEqual(withFallbacks(declared, 'google').tiers[0].prices, { ...everywhere, inputAudio: 1000 });
  assert.deepEqual(withFallbacks(declared, 'anthropic').tiers[0].prices, {
    ...everywhere,
    cacheWrite5m: 1250,
    cacheWrite1h: 2000,
  });
  assert.deepEqual(withFallbacks(flat({}), 'anthropic').tiers[0].prices, {});
});

test('once a request, a fee for the request, and free', () => {
  const rate = flat({ webSearches: 35_000_000 }, { oncePerRequest: ['webSearches'], perRequest: 12_000_000 });
  assert.deepEqual(cost({ ...noUsage(), webSearches: 4 }, rate), { cost: 47_000, unpriced: [] });
  assert.deepEqual(cost({ ...noUsage(), seconds: 4, tier: 'x' }, flat({}, { free: true })), { cost: 0, unpriced: [] });
});

test('fractions of a second and of a nano-dollar round up, once', () => {
  assert.equal(cost({ ...noUsage(), seconds: 0.2 }, flat({ seconds: 1000 })).cost, 1);
  assert.equal(cost({ ...noUsage(), input: 1, output: 1 }, flat({ input: 400, output: 400 })).cost, 1);
});

test('counts beyond all reason stay exact, and stop at the largest amount', () => {
  const usage = { ...noUsage(), input: 2 ** 40, output: 1 };
  assert.equal(
    cost(usage, flat({ input: perMillion(3), output: 1 })).cost,
    Number((2n ** 40n * 3_000_000n + 1n + 999n) / 1000n),
  );
  assert.equal(cost(usage, flat({ input: perMillion(9999), output: 1 })).cost, Number.MAX_SAFE_INTEGER);
});

/** A seeded source of draws; 100,000 of them take a second, which the shrinking kind of generator does not. */
function draws(seed: number): { below(limit: number): number; oneOf<T>(list: readonly [T, ...T[]]): T } {
  let state = seed;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(fraction() * limit);
  return { below, oneOf: (list) => list[below(list.length)] ?? list[0] };
}

test('E2: moving tokens from uncached to cached changes the cost by exactly their price difference', () => {
  const draw = draws(2);
  for (let round = 0; round < 100_000; round++) {
    const [read, rest] = [draw.below(1_000_000), draw.below(1_000_000)];
    const prices = { input: 1000 * draw.below(9999), cacheRead: 1000 * draw.below(999) };
    const before = cost({ ...noUsage(), input: read + rest }, flat(prices)).cost;
    const after = cost({ ...noUsage(), input: rest, cacheRead: read }, flat(prices)).cost;
    if (after - before - (read * (prices.cacheRead - prices.input)) / 1000 !== 0) assert.fail(`round ${round}`);
  }
});

test('what a request needs and the rate lacks is known beforehand', () => {
  const outline: Outline = {
    format: 'openai-chat',
    model: 'm',
    stream: false,
    wantsUsage: false,
    choices: 1,
    tools: 0,
    images: 0,
    documents: 0,
    audio: 0,
    bytes: 100,
    mediaBytes: 0,
    paidTools: [],
  };
  const rate = withFallbacks(flat(sonnet, { services: { flex: [1, 2] } }), 'openai');
  assert.deepEqual(lacks({ ...outline, tier: 'flex', images: 2 }, rate), []);
  const paidTools = ['web_search_20250305', 'code_execution'];
  assert.deepEqual(lacks({ ...outline, tier: 'priority', audio: 1, paidTools }, rate), [
    'tier:priority',
    'inputAudio',
    'webSearches',
    'tool:code_execution',
  ]);
  assert.deepEqual(lacks(outline, flat({ input: 1 })), ['output']);
  assert.deepEqual(lacks({ ...outline, audio: 1 }, flat({}, { free: true })), []);
});
