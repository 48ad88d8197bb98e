// What the meter makes of texts, bills and streams: tables, and properties over random ones.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { plainOutline } from '../../test/outline.ts';
import { countingOf } from './encodings.ts';
import { createFactors } from './factors.ts';
import { stringsOf, textInside } from './frame-text.ts';
import { createGauge } from './gauge.ts';
import { createGrowth } from './growth.ts';
import { createLengths } from './lengths.ts';
import { createLimits, withinLimit } from './limits.ts';
import { addBytes, emptyMix, type Script, scriptOf, tokensOf } from './mix.ts';
import { createPrompts } from './prompt.ts';
import { RecentByName } from './recent.ts';
import { sampleOf } from './sample.ts';
import { createTexts } from './texts.ts';

const english = 'The quick brown fox jumps over the lazy dog, and every evening people talk about it. ';
const russian = 'Быстрая коричневая лиса перепрыгивает через ленивую собаку, и каждый вечер люди говорят об этом. ';
const chinese = '快速的棕色狐狸跳过懒狗，每天晚上人们都会讲述这个故事，并且讨论未来的计划。';
const german = 'Der schnelle braune Fuchs überspringt täglich größere Hürden, während Schüler süße Äpfel prüfen. ';

/** Counts of the o200k vocabulary, made with gpt-tokenizer. */
const texts: readonly (readonly [string, string, number, Script])[] = [
  ['English', english, 18, 'latin'],
  ['German', german, 25, 'accented'],
  ['Russian', russian, 26, 'two-byte'],
  ['Chinese', chinese, 30, 'wide'],
  ['emoji', '😀🎉🔥🚀😀🎉🔥🚀', 14, 'emoji'],
  ['digits', '3847 9281 77.31 0.00482, 9938475610 ', 21, 'latin'],
];

function mixOf(text: string): ReturnType<typeof emptyMix> {
  const mix = emptyMix();
  const bytes = Buffer.from(text);
  addBytes(mix, bytes, 0, bytes.length);
  return mix;
}

for (const [name, text, tokens, script] of texts) {
  test(`${name} is weighed within a third of its count, and known by its script`, () => {
    const mix = mixOf(text.repeat(8));
    const weighed = tokensOf(mix) / 8;
    assert.ok(weighed > tokens * 0.66 && weighed < tokens * 1.5, `${weighed} for ${tokens}`);
    assert.equal(scriptOf(mix), script);
  });

  test(`${name} weighs the same where JSON escapes it`, () => {
    const escaped = text.replace(
      /[\u0080-\uffff]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    const [plain, written] = [tokensOf(mixOf(text)), tokensOf(mixOf(escaped))];
    assert.ok(written >= plain * 0.9 && written <= plain * 1.25, `${written} for ${plain}`);
  });
}

test('a body is weighed by a sample of 2 KB, whatever its size; H6: the work does not grow with a hostile text', () => {
  for (const unit of ['x', '中', '_', 'aB3+', english]) {
    const body = Buffer.from(unit.repeat(Math.ceil(1_000_000 / Buffer.byteLength(unit))));
    const sample = sampleOf(body, false);
    assert.ok(sample.bytes <= 2560, `${sample.bytes} bytes were read`);
    const whole = emptyMix();
    addBytes(whole, body, 0, body.length);
    const scaled = (tokensOf(sample.mix) / sample.bytes) * body.length;
    assert.ok(scaled > tokensOf(whole) * 0.8 - 2000 && scaled < tokensOf(whole) * 1.2 + 2000, `${scaled} of ${unit}`);
  }
});

test('pictures inside a body are not taken for its text', () => {
  const picture = Buffer.alloc(300_000, 7).toString('base64').replace(/B/g, 'Qz9');
  const text = english.repeat(600);
  const body = Buffer.from(JSON.stringify({ text, picture }));
  const { mix, bytes } = sampleOf(body, true);
  const each = tokensOf(mix) / bytes;
  assert.ok(each < 0.3, `${each} tokens a byte`);
});

const outline = plainOutline();

test('estimates of prompts follow the bills, and stay above nine in ten of them', () => {
  const prompts = createPrompts();
  const body = Buffer.from(JSON.stringify({ messages: [{ role: 'user', content: english.repeat(60) }] }));
  const before = prompts.estimate('p/m', outline, body);
  let seed = 7;
  const next = (): number => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  let above = 0;
  for (let round = 0; round < 200; round++) {
    const estimate = prompts.estimate('p/m', outline, body);
    const actual = Math.round(before.weighed * (1.9 + 0.2 * next()));
    if (round >= 20 && estimate.text >= actual) above++;
    prompts.learn('p/m', outline, estimate, actual);
  }
  assert.ok(above >= 162, `${above} of 180`);
  const after = prompts.estimate('p/m', outline, body).text;
  assert.ok(after < before.weighed * 2.4, `${after}`);
  assert.equal(prompts.estimate('p/other', outline, body).text, before.text);
});

test('pictures, documents and sounds count by formula, and teach nothing about text', () => {
  const prompts = createPrompts();
  const body = Buffer.from('{"messages":[]}');
  const media = { ...outline, images: 2, audio: 1, documents: 1 };
  const estimate = prompts.estimate('openai/gpt-4o', media, body);
  assert.deepEqual([estimate.images, estimate.audio], [3200, 1000]);
  assert.ok(estimate.text >= 3000);
  assert.equal(prompts.estimate('openai/gpt-4o-mini', media, body).images, 2 * 36_835);
  prompts.learn('openai/gpt-4o', media, estimate, 1_000_000);
  assert.equal(prompts.estimate('openai/gpt-4o', media, body).text, estimate.text);
});

test('a gauge reads any lane: what it counts is found from the text', () => {
  for (const unit of [1, 3, 6]) {
    const gauge = createGauge(createFactors(), 'p/m');
    for (let at = 0; at < 10; at++)
      gauge.sample(
        { data: JSON.stringify({ choices: [{ delta: { content: chinese } }] }), words: undefined },
        chinese.length * unit,
      );
    const tokens = gauge.tokens(100 * chinese.length * unit);
    assert.ok(tokens > 3000 && tokens < 6500, `${tokens} tokens where a character counts ${unit}`);
  }
});

test('a model that puts out nothing but line ends puts out tokens', () => {
  // The vocabulary takes sixteen for one.
  const weighed = tokensOf(mixOf('\n'.repeat(1800)));
  assert.ok(weighed > 100 && weighed < 200, `${weighed}`);
});

test('a gauge is re-based on every count, but not on a placeholder', () => {
  const gauge = createGauge(createFactors(), 'p/m');
  gauge.sampleText(english.repeat(4), english.length * 4);
  const guessed = gauge.tokens(10_000);
  assert.equal(gauge.told(10_000, 3), false);
  assert.equal(gauge.tokens(10_000), guessed);
  assert.equal(gauge.told(10_000, 1234), true);
  assert.equal(gauge.tokens(10_000), 1234);
  assert.ok(gauge.tokens(10_400) > 1234);
  gauge.counted(10_400, 1300);
  assert.equal(gauge.tokens(10_400), 1300);
});

test('what a bill says of a model reaches its next stream', () => {
  const factors = createFactors();
  const estimate = (): number => {
    const gauge = createGauge(factors, 'p/m');
    for (let at = 0; at < 10; at++) gauge.sampleText(english, english.length);
    return gauge.tokens(10_000);
  };
  const before = estimate();
  for (let round = 0; round < 20; round++) {
    const gauge = createGauge(factors, 'p/m');
    for (let at = 0; at < 10; at++) gauge.sampleText(english, english.length);
    gauge.learn(10_000, 2 * before);
  }
  const after = estimate();
  assert.ok(after >= 2 * before && after < 2.4 * before, `${before} became ${after}`);
});

test('the usual length is the key’s own median, else the model’s, else unknown', () => {
  const lengths = createLengths();
  assert.equal(lengths.usual('a', 'p/m'), undefined);
  for (const tokens of [100, 900, 500]) lengths.learn('a', 'p/m', tokens, 0);
  assert.equal(lengths.usual('a', 'p/m'), 500);
  assert.equal(lengths.usual('b', 'p/m'), 500);
  for (const tokens of [10, 20, 30]) lengths.learn('b', 'p/m', tokens, 0);
  assert.equal(lengths.usual('b', 'p/m'), 20);
  assert.equal(lengths.usual('b', 'p/other'), undefined);
});

test('what is remembered is bounded: the name used longest ago makes room', () => {
  const recent = new RecentByName(3, 4);
  for (const name of ['a', 'b', 'c']) recent.add(name, 1);
  recent.find('a');
  recent.add('d', 1);
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((name) => recent.find(name)?.count),
    [1, undefined, 1, 1],
  );
  for (const value of [5, 6, 7, 8]) recent.add('a', value);
  assert.equal(recent.find('a')?.quantile(0), 5);
});

test('growth doubles while it is asked for closely, and is small where little is left', () => {
  let now = 0;
  const growth = createGrowth({ monotonic: () => now });
  const line = { price: (tokens: number) => tokens * 10, tokensFor: (amount: number) => amount / 10 };
  const ample = 1e9;
  assert.equal(growth.next(line, ample), 256);
  const steps: number[] = [];
  for (let step = 0; step < 8; step++) {
    growth.granted();
    now += 1000;
    steps.push(growth.next(line, ample));
  }
  assert.deepEqual(steps, [256, 512, 1024, 2048, 4096, 8192, 8192, 8192]);
  assert.equal(growth.next(line, 32 * 10 * 100), 100);
  assert.equal(growth.next(line, 0), 64);
});

test('kept text is bounded, and its room is given back', () => {
  const { keep } = createTexts();
  const first = keep();
  assert.ok(first);
  first.add('one ');
  first.add('two');
  assert.equal(first.take(), 'one two');
  assert.equal(first.take(), '');
  first.add('x'.repeat(1_000_001));
  assert.equal(first.take(), undefined);
  const many = Array.from({ length: 64 }, () => keep());
  for (const each of many) each?.add('x'.repeat(1_000_000));
  assert.equal(keep(), undefined);
  for (const each of many) each?.release();
  assert.ok(keep());
});

const frames: readonly (readonly [string, unknown, string])[] = [
  ['chat', { id: 'x', model: 'm', choices: [{ index: 0, delta: { role: 'assistant', content: 'Hi' } }] }, 'Hi'],
  [
    'chat tools',
    { choices: [{ delta: { tool_calls: [{ id: 'call', function: { name: 'f', arguments: '{"a"' } }] } }] },
    'f{"a"',
  ],
  ['messages', { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } }, 'Hi'],
  ['messages thinking', { delta: { type: 'thinking_delta', thinking: 'Hm' } }, 'Hm'],
  ['messages proof', { delta: { type: 'signature_delta', signature: 'zzzz' } }, ''],
  ['gemini', { candidates: [{ content: { role: 'model', parts: [{ text: 'Hi' }] } }], modelVersion: 'm' }, 'Hi'],
  [
    'a filter',
    {
      choices: [{ delta: { content: 'Hi' }, content_filter_results: { hate: { filtered: false, severity: 'safe' } } }],
    },
    'Hi',
  ],
  [
    'a piece beside the answer so far',
    { choices: [{ message: { content: 'Oh Hi' }, delta: { content: ' Hi' } }] },
    ' Hi',
  ],
  [
    'a whole answer beside an empty piece',
    { choices: [{ message: { content: 'Oh Hi' }, delta: { content: '' } }] },
    'Oh Hi',
  ],
  ['an error', { error: { message: 'overloaded' } }, ''],
];
for (const [name, body, text] of frames) {
  test(`the text of ${name} is found`, () => assert.equal(textInside(JSON.stringify(body)), text));
}

test('reading text never throws, and reading strings keeps its bound', () => {
  fc.assert(fc.property(fc.string(), (data) => typeof textInside(data) === 'string'));
  fc.assert(fc.property(fc.jsonValue(), (value) => (stringsOf(value, 1_000_000) ?? '').length < 2_000_000));
  assert.equal(stringsOf({ a: 'x'.repeat(101) }, 100), undefined);
});

test('a model is counted with its own vocabulary where there is one', () => {
  assert.deepEqual(countingOf('openai/gpt-4o-mini'), { encoding: 'o200k_base', factor: 1 });
  assert.deepEqual(countingOf('openrouter/openai/gpt-5'), { encoding: 'o200k_base', factor: 1 });
  assert.deepEqual(countingOf('azure/gpt-4-turbo'), { encoding: 'cl100k_base', factor: 1 });
  assert.ok(countingOf('anthropic/claude-sonnet-4-5').factor > 1);
  assert.ok(countingOf('groq/llama-3.3-70b-versatile').factor > 1);
});

test('a model keeps its limits until a bill passes one, and again once sixteen answers have ended at theirs', () => {
  const limits = createLimits();
  assert.equal(limits.keeps('p/m'), true);
  limits.learn('p/m', 100, 100);
  limits.learn('p/m', 100, 113);
  assert.equal(limits.keeps('p/m'), true, 'an end mark is no breach');
  limits.learn('p/m', 100, 114);
  assert.equal(limits.keeps('p/m'), false);
  assert.equal(limits.keeps('p/other'), true);
  for (let each = 0; each < 40; each++) limits.learn('p/m', 100, 20);
  assert.equal(limits.keeps('p/m'), false, 'a short answer says nothing');
  for (let each = 0; each < 15; each++) limits.learn('p/m', 100, 100);
  assert.equal(limits.keeps('p/m'), false);
  limits.learn('p/m', 100, 95);
  assert.equal(limits.keeps('p/m'), true);
});

for (const [estimate, limit, worth] of [
  [10, 42, 10],
  [42, 42, 42],
  [63, 42, 42],
  [64, 42, 64],
  [1064, 1000, 1000],
  [1065, 1000, 1065],
] as const)
  test(`an estimate of ${estimate} tokens is worth ${worth} where a limit of ${limit} is kept`, () => {
    assert.equal(withinLimit(estimate, limit), worth);
  });
