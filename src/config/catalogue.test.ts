import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { calcPrice, findProvider } from '@pydantic/genai-prices';
import type { Rate } from '../exchange/rate.ts';
import { type Bucket, noUsage } from '../exchange/usage.ts';
import { createPrices } from '../price/price.ts';
import { loadCatalogue, packageVersion } from './catalogue.ts';
import { overlayVersion } from './overlay.ts';

const catalogue = loadCatalogue();
const prices = createPrices(catalogue);
const at = Date.parse('2026-11-01T12:00:00Z');
const version = `genai-prices@${packageVersion}+${overlayVersion}`;
const usdPerMillion = (rate: Rate | undefined, bucket: Bucket, tier = 0): number | undefined => {
  const price = rate?.tiers[tier]?.prices[bucket];
  return price === undefined ? undefined : price / 1e6;
};

test('the version in every charge is the installed package', () => {
  const file = new URL('../../node_modules/@pydantic/genai-prices/package.json', import.meta.url);
  assert.equal((JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version, packageVersion);
});

const known: readonly [string, string, string, number, number][] = [
  ['openai', 'gpt-4o', '2026-11-01', 2.5, 10],
  ['openai', 'gpt-4o-2024-08-06', '2026-11-01', 2.5, 10],
  ['openai', 'o3', '2025-05-01', 10, 40],
  ['openai', 'o3', '2025-06-10', 2, 8],
  ['openai', 'gpt-5.6-sol', '2026-11-01', 4, 20],
  ['anthropic', 'claude-sonnet-4-5-20250929', '2026-11-01', 3, 15],
  ['google', 'gemini-2.5-flash', '2026-11-01', 0.3, 2.5],
  ['google', 'gemini-3.6-flash', '2026-12-31', 0.75, 3.75],
  ['google', 'gemini-3.6-flash', '2027-01-01', 1.5, 7.5],
  ['x-ai', 'grok-4', '2026-11-01', 3, 15],
  ['azure', 'claude-sonnet-4-6', '2026-11-01', 3, 15],
  ['sim', 'sim-small', '2026-11-01', 2, 8],
  ['sim', 'sim-large', '2026-11-01', 20, 80],
  ['openai', 'ft:gpt-4o-2024-08-06:acme::abc123', '2026-11-01', 3.75, 15],
  ['openai', 'ft:gpt-4o-mini-2024-07-18:acme:support:x', '2026-11-01', 0.3, 1.2],
  ['sim', 'whatever', '2026-11-01', 2, 8],
];

for (const [provider, model, day, input, output] of known) {
  test(`${provider}/${model} on ${day} is ${input}/${output}`, () => {
    const rate = catalogue.find(provider, model, Date.parse(day));
    assert.deepEqual([usdPerMillion(rate, 'input'), usdPerMillion(rate, 'output')], [input, output]);
  });
}

const unknown: readonly [string, string][] = [
  ['openai', 'gpt-4oo'],
  ['openai', 'gpt4o'],
  ['openai', 'claude-sonnet-4-5'],
  ['openai', 'ft:gpt-4.1-2025-04-14:acme::abc'],
  ['openai', 'ft:gpt-5-2026-01-01:acme::abc'],
  ['xai', 'grok-4'],
  ['my-openai-proxy', 'gpt-4o'],
  ['', 'gpt-4o'],
  ['openai', ''],
  ['openai', 'g'.repeat(100_000)],
];

for (const [provider, model] of unknown) {
  test(`E8: ${provider}/${model.slice(0, 20)} has no price, however near a name it has`, () =>
    assert.equal(catalogue.find(provider, model, at), undefined));
}

test('the version names the start date or the time of day', () => {
  assert.equal(catalogue.find('openai', 'gpt-4o', at)?.version, version);
  assert.equal(catalogue.find('openai', 'o3', at)?.version, `${version}/2025-06-10`);
  assert.equal(catalogue.find('openai', 'o3', Date.parse('2025-06-09'))?.version, version);
  const peak = Date.parse('2026-11-01T02:00:00Z');
  assert.equal(catalogue.find('deepseek', 'deepseek-v4-pro', peak)?.version, `${version}/01:00:00Z`);
  assert.equal(catalogue.find('deepseek', 'deepseek-v4-pro', at)?.version, `${version}/2026-08-17`);
});

test('E3: long context: the tier starts past 200,000 and is declared to price the whole request', () => {
  const rate = catalogue.find('google', 'gemini-2.5-pro', at);
  assert.ok(rate);
  assert.equal(rate.longContext, 'whole_request');
  assert.deepEqual(
    rate.tiers.map((tier) => tier.above),
    [0, 200_000],
  );
  assert.equal(prices.cost({ ...noUsage(), input: 200_000 }, rate).cost, 250_000_000);
  assert.equal(prices.cost({ ...noUsage(), input: 200_001 }, rate).cost, 500_002_500);
});

test('service tiers and fees of the overlay', () => {
  assert.deepEqual(catalogue.find('openai', 'gpt-4o-2024-11-20', at)?.services, { batch: [1, 2], priority: [17, 10] });
  assert.deepEqual(catalogue.find('openai', 'gpt-5', at)?.services, { batch: [1, 2], flex: [1, 2], priority: [2, 1] });
  assert.deepEqual(catalogue.find('anthropic', 'claude-opus-4-5', at)?.services, { batch: [1, 2] });
  assert.deepEqual(catalogue.find('google', 'gemini-2.5-flash', at)?.oncePerRequest, ['webSearches']);
  assert.equal(usdPerMillion(catalogue.find('google', 'gemini-3-pro-preview', at), 'webSearches'), 14_000);
  assert.equal(usdPerMillion(catalogue.find('anthropic', 'claude-opus-4-5', at), 'webSearches'), 10_000);
});

test('every model of every provider compiles to whole non-negative prices in ascending tiers', () => {
  const providers = [
    'anthropic',
    'openai',
    'google',
    'x-ai',
    'deepseek',
    'groq',
    'mistral',
    'openrouter',
    'azure',
    'aws',
  ];
  let models = 0;
  for (const provider of [...providers, 'together', 'cohere', 'fireworks', 'cerebras', 'moonshotai', 'perplexity']) {
    for (const model of catalogue.models(provider)) {
      const rate = catalogue.find(provider, model, at);
      if (!rate) continue;
      models += 1;
      for (const [index, tier] of rate.tiers.entries()) {
        assert.ok(tier.above > (rate.tiers[index - 1]?.above ?? -1), `${provider}/${model}`);
        for (const price of Object.values(tier.prices)) assert.ok(Number.isSafeInteger(price) && price >= 0);
      }
    }
  }
  assert.ok(models > 1000, `only ${models}`);
});

test('the models of a provider are names that can be asked for', () => {
  const listed = catalogue.models('openai');
  assert.ok(listed.includes('gpt-4o-mini'));
  assert.deepEqual(
    listed.filter((id) => id.startsWith('ft:') || id.endsWith('-')),
    [],
  );
});

test('priority prices are those of the published list, to the pico-dollar', () => {
  const published: readonly [string, number, number, number][] = [
    ['gpt-5.5', 12.5, 1.25, 75],
    ['gpt-5.4', 5, 0.5, 30],
    ['gpt-5.4-mini', 1.5, 0.15, 9],
    ['gpt-5.2', 3.5, 0.35, 28],
    ['gpt-5.1', 2.5, 0.25, 20],
    ['gpt-5', 2.5, 0.25, 20],
    ['gpt-5-mini', 0.45, 0.045, 3.6],
    ['gpt-4.1', 3.5, 0.875, 14],
    ['gpt-4.1-mini', 0.7, 0.175, 2.8],
    ['gpt-4.1-nano', 0.2, 0.05, 0.8],
    ['gpt-4o', 4.25, 2.125, 17],
    ['gpt-4o-mini', 0.25, 0.125, 1],
    ['o3', 3.5, 0.875, 14],
  ];
  for (const [model, input, cacheRead, output] of published) {
    const rate = catalogue.find('openai', model, at);
    assert.ok(rate, model);
    const million = (bucket: Bucket): number =>
      prices.cost({ ...noUsage(), [bucket]: 100_000, tier: 'priority' }, rate).cost / 1e8;
    assert.deepEqual([million('input'), million('cacheRead'), million('output')], [input, cacheRead, output], model);
  }
});

test("the package's own float calculator agrees to a nano-dollar on text, cache and long context", () => {
  const timestamp = new Date(at);
  let compared = 0;
  for (const provider of ['openai', 'anthropic', 'google', 'x-ai', 'deepseek', 'mistral']) {
    for (const model of catalogue.models(provider)) {
      const rate = prices.rate({ provider: { name: provider, catalogue: provider }, model }, [], at);
      if (usdPerMillion(rate, 'input') === undefined || usdPerMillion(rate, 'output') === undefined || !rate) continue;
      for (const size of [1_000, 199_999, 300_000]) {
        const usage = { ...noUsage(), input: size, cacheRead: 777, output: 4321 };
        const theirs = calcPrice({ input_tokens: size + 777, cache_read_tokens: 777, output_tokens: 4321 }, model, {
          provider: findProvider({ providerId: provider }),
          timestamp,
        } as Parameters<typeof calcPrice>[2]);
        assert.ok(theirs);
        // A fee that the package does not carry is none of its prices.
        const ours: number = prices.cost(usage, rate).cost - (rate.perRequest ?? 0) / 1000;
        assert.ok(
          Math.abs(ours - theirs.total_price * 1e9) <= 1,
          `${provider}/${model}: ${ours}, ${theirs.total_price}`,
        );
        compared += 1;
      }
    }
  }
  assert.ok(compared > 300, `only ${compared}`);
});
