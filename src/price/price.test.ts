import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outline } from '../exchange/outline.ts';
import type { PriceRule } from '../exchange/policy.ts';
import type { Catalogue, Rate } from '../exchange/rate.ts';
import { noUsage } from '../exchange/usage.ts';
import { createPrices } from './price.ts';

const listed: Rate = {
  version: 'list@1/2026-01-01',
  longContext: 'whole_request',
  tiers: [{ above: 0, prices: { input: 2_000_000, output: 8_000_000 } }],
  services: {},
};
const catalogue: Catalogue = {
  version: 'list@1',
  find: (provider, model) => (provider === 'google' && model === 'gemini-2.5-flash' ? listed : undefined),
  models: () => [],
};
const prices = createPrices(catalogue);
const of = (name: string, model: string, catalogueId = name) => ({ provider: { name, catalogue: catalogueId }, model });

const rules: readonly PriceRule[] = [
  { match: 'ollama/*', free: true },
  { match: 'azure/prod', as: 'gemini/gemini-2.5-flash' },
  { match: 'azure/loop', as: 'azure/loop' },
  { match: 'azure/chain', as: 'azure/prod' },
  { match: 'azure/typo', as: 'gemini/gemini-2.5-flsh' },
  { match: 'eu/*', rates: { input: 1 } },
  { match: 'eu/x*', rates: { input: 2 } },
  { match: 'eu/x1', rates: { input: 3 }, from: 1000 },
  { match: 'eu/x1', rates: { input: 4 }, from: 2000 },
  { match: 'gemini/gemini-2.5-flash', rates: { input: 7, output: 9 }, from: 5000 },
];

const cases: readonly [string, string, number, string | undefined, number | undefined][] = [
  ['ollama', 'llama3', 0, 'config', undefined],
  ['azure', 'prod', 0, 'list@1/2026-01-01', 2_000_000],
  ['azure', 'prod', 5000, 'config', 7],
  ['azure', 'chain', 0, 'list@1/2026-01-01', 2_000_000],
  ['azure', 'loop', 0, undefined, undefined],
  ['azure', 'typo', 0, undefined, undefined],
  ['azure', 'other', 0, undefined, undefined],
  ['eu', 'a', 0, 'config', 1],
  ['eu', 'x1', 999, 'config', 2],
  ['eu', 'x1', 1000, 'config', 3],
  ['eu', 'x1', 2000, 'config', 4],
  ['eu', 'x12', 9999, 'config', 2],
];

for (const [provider, model, at, version, input] of cases) {
  test(`${provider}/${model} at ${at} is priced by ${version ?? 'nothing'}`, () => {
    const rate = prices.rate(of(provider, model), rules, at);
    assert.equal(rate?.version, version);
    assert.equal(rate?.tiers[0].prices.input, input);
  });
}

test('the catalogue speaks where no rule does, its fallbacks filled in, the same object each time', () => {
  const target = of('gemini', 'gemini-2.5-flash', 'google');
  const rate = prices.rate(target, rules, 4999);
  assert.equal(rate?.version, 'list@1/2026-01-01');
  assert.equal(rate?.tiers[0].prices.reasoning, 8_000_000);
  assert.equal(rate?.tiers[0].prices.inputAudio, 2_000_000);
  assert.equal(prices.rate(target, [], 0), rate);
});

test('free costs nothing whatever is used', () => {
  const rate = prices.rate(of('ollama', 'x'), rules, 0);
  assert.ok(rate);
  assert.deepEqual(prices.cost({ ...noUsage(), input: 1e6, inputAudio: 9 }, rate), { cost: 0, unpriced: [] });
});

test('estimates are on the high side of what providers count', () => {
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
    bytes: 4000,
    mediaBytes: 0,
    paidTools: [],
  };
  assert.equal(prices.inputTokens(outline), 1334);
  // A picture's base64 is not text; each counts as the dearest of the usual ones.
  assert.equal(prices.inputTokens({ ...outline, bytes: 2_004_000, mediaBytes: 2_000_000, images: 2 }), 4534);
  assert.equal(prices.inputTokens({ ...outline, bytes: 604_000, mediaBytes: 600_000, documents: 1 }), 31_334);
  assert.equal(prices.inputTokens({ ...outline, documents: 1, audio: 1 }), 5334);
});
