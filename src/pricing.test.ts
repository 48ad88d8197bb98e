// A reserve is never below its price; a line is what the price book says; thinking is clamped with its limit.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { draws } from '../bench/money/draw.ts';
import { target } from '../test/ledger.ts';
import { plainOutline } from '../test/outline.ts';
import { loadCatalogue } from './config/catalogue.ts';
import type { Format } from './exchange/format.ts';
import type { Outline } from './exchange/outline.ts';
import type { Rate } from './exchange/rate.ts';
import { inputTokens, noUsage, type Usage } from './exchange/usage.ts';
import { createPrices } from './price/price.ts';
import { cacheMarksOf, dearestInput, priceLine } from './pricing.ts';
import { type Thinking, thinkingWithin } from './thinking.ts';

const catalogue = loadCatalogue();
const prices = createPrices(catalogue);
const now = Date.UTC(2026, 10, 21);

function everyRate(): Rate[] {
  const rates: Rate[] = [];
  for (const provider of ['openai', 'anthropic', 'google', 'deepseek', 'x-ai', 'mistral', 'groq', 'openrouter']) {
    for (const model of catalogue.models(provider)) {
      const rate = prices.rate({ provider: { name: provider, catalogue: provider }, model }, [], now);
      if (rate) rates.push(rate);
    }
  }
  return rates;
}

test('B5: what is set aside for a prompt is never less than its price, over 100,000 models and usages', () => {
  const rates = everyRate();
  assert.ok(rates.length > 200, `${rates.length} models`);
  const draw = draws(20_261_121);
  for (let round = 0; round < 100_000; round++) {
    const rate = rates[draw.below(rates.length)];
    if (!rate) continue;
    const most = draw.oneOf([500, 20_000, 150_000, 400_000]);
    const marks = draw.below(2) === 0;
    const usage: Usage = { ...noUsage(), input: draw.below(most), cacheRead: draw.below(most) };
    if (marks) Object.assign(usage, { cacheWrite5m: draw.below(most), cacheWrite1h: draw.below(most) });
    const tokens = { text: inputTokens(usage), images: 0, audio: 0 };
    const reserved = dearestInput(
      prices,
      rate,
      tokens,
      { paidTools: [] },
      marks ? ['cacheWrite5m', 'cacheWrite1h'] : [],
    );
    const [held, due] = [reserved.cost, prices.cost(usage, rate).cost];
    assert.equal(held, prices.cost(reserved.usage, rate).cost);
    if (held < due) assert.fail(`round ${round}: ${held} held, ${due} due for ${JSON.stringify([usage, rate])}`);
  }
});

test('B5: a line takes output for the dearest of what is asked for: speech and pictures cost more than text', () => {
  for (const [model, outputs, bucket] of [
    ['gpt-audio', ['audio'], 'outputAudio'],
    ['gemini-2.5-flash-image', ['image'], 'outputImage'],
  ] as const) {
    const provider = model.startsWith('gpt') ? 'openai' : 'google';
    const rate = prices.rate({ provider: { name: provider, catalogue: provider }, model }, [], now);
    assert.ok(rate);
    const due = prices.cost({ ...noUsage(), input: 10, [bucket]: 1000 }, rate).cost;
    assert.equal(priceLine(prices, { ...noUsage(), input: 10 }, rate, outputs).price(1000), due);
    assert.ok(priceLine(prices, { ...noUsage(), input: 10 }, rate).price(1000) < due);
  }
});

test('B5: inference that is kept in one country is set aside at what it costs there', () => {
  const model = 'claude-opus-4-6';
  const rate = prices.rate({ provider: { name: 'anthropic', catalogue: 'anthropic' }, model }, [], now);
  assert.ok(rate);
  const usage = { ...noUsage(), input: 1000, output: 500 };
  const due = prices.cost({ ...usage, unknown: { 'inference_geo.us': 1 } }, rate).cost;
  assert.ok(due > prices.cost(usage, rate).cost);
  const outline = { paidTools: [], surcharges: ['inference_geo.us'] };
  const reserved = dearestInput(prices, rate, { text: 1000, images: 0, audio: 0 }, outline, []);
  assert.equal(priceLine(prices, reserved.usage, rate).price(500), due);
  assert.deepEqual(prices.lacks(plainOutline(outline), rate), []);
  assert.deepEqual(prices.lacks(plainOutline({ ...outline, surcharges: ['inference_geo.eu'] }), rate), [
    'usage:inference_geo.eu',
  ]);
});

const hourly = ['cacheWrite5m', 'cacheWrite1h'];
for (const [body, wanted] of [
  ['{"messages":[]}', []],
  ['{"cache_control":{"type":"ephemeral"}}', ['cacheWrite5m']],
  ['{"cache_control":{"type":"ephemeral","ttl":"5m"}}', ['cacheWrite5m']],
  ['{"cache_control":{"type":"ephemeral","ttl":"1h"}}', hourly],
  ['{"cache_control":{"type":"ephemeral","ttl":"\\u0031h"}}', hourly],
] as const)
  test(`B5: ${body} may be written to the cache as ${wanted.join(', ') || 'nothing'}`, () => {
    assert.deepEqual(cacheMarksOf(Buffer.from(body)), wanted);
  });

test('a line is the price book’s own price, to a nano-dollar, and buys what it prices, no token more or less', () => {
  const rates = everyRate();
  const draw = draws(7);
  for (let round = 0; round < 20_000; round++) {
    const rate = rates[draw.below(rates.length)];
    if (!rate) continue;
    const input = { ...noUsage(), input: draw.below(300_000) };
    const line = priceLine(prices, input, rate);
    const output = draw.below(200_000);
    const due = prices.cost({ ...input, output }, rate).cost;
    const drawn = line.price(output);
    assert.ok(drawn >= due - (rate.tiers.length > 1 ? 1 : 0), `round ${round}: ${drawn} for ${due}`);
    const { output: price, reasoning = price } = rate.tiers[0].prices;
    if (rate.tiers.length === 1 && reasoning === price)
      assert.ok(drawn <= due + 1, `round ${round}: ${drawn} for ${due}`);
    const bought = line.tokensFor(drawn);
    assert.ok(bought >= output, `round ${round}: ${bought} of ${output}`);
    if (!Number.isFinite(bought)) continue;
    assert.ok(line.price(bought) <= drawn, `round ${round}: ${bought} tokens for ${drawn}`);
    assert.ok(line.price(bought + 1) > drawn, `round ${round}: ${drawn} pays for more than ${bought}`);
  }
});

const outline = (limit: number | undefined, thinkingBudget: number | undefined): Outline =>
  plainOutline({
    ...(limit === undefined ? {} : { outputLimit: limit }),
    ...(thinkingBudget === undefined ? {} : { thinkingBudget }),
  });

const clamps: readonly (readonly [Format, number | undefined, number | undefined, number, Thinking])[] = [
  ['anthropic-messages', 8000, undefined, 100, { kind: 'fits' }],
  ['anthropic-messages', 8000, 4000, 6000, { kind: 'fits' }],
  ['anthropic-messages', 8000, 4000, 4000, { kind: 'clamped', budget: 3000 }],
  ['anthropic-messages', 8000, 7990, 4000, { kind: 'clamped', budget: 3990 }],
  ['anthropic-messages', 8000, 4000, 1366, { kind: 'clamped', budget: 1024 }],
  ['anthropic-messages', 8000, 4000, 1365, { kind: 'too-little', floor: 1024 }],
  ['anthropic-messages', 8000, 4000, 16, { kind: 'too-little', floor: 1024 }],
  ['gemini-generate', undefined, 8000, 2000, { kind: 'clamped', budget: 1500 }],
  ['gemini-generate', undefined, 8000, 100, { kind: 'too-little', floor: 128 }],
  ['openai-chat', 8000, 4000, 16, { kind: 'fits' }],
];
for (const [format, limit, asked, clamp, wanted] of clamps) {
  test(`${asked} tokens of thinking within ${clamp} of ${limit} by ${format}: ${wanted.kind}`, () => {
    const to = target('p', 'm');
    const at = { ...to, provider: { ...to.provider, format } };
    assert.deepEqual(thinkingWithin(outline(limit, asked), at, clamp), wanted);
  });
}
