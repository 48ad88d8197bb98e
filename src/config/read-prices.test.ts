import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPrices } from '../price/price.ts';
import { loadCatalogue } from './catalogue.ts';
import { loadConfig } from './config.ts';
import { ConfigError, formatProblem } from './problems.ts';
import { sampleTable } from './sample-table.test.ts';

const catalogue = loadCatalogue();
const at = Date.parse('2026-11-21T12:00:00Z');

function load(prices: string) {
  return loadConfig({
    text: `providers:\n  openai: { api_key: sk-x }\nprices:\n  ${prices}\n`,
    fileName: 'f',
    environment: {},
    readFile: () => '',
    table: sampleTable,
  }).snapshot.prices;
}

function problems(prices: string): string[] {
  try {
    load(prices);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map((problem) => formatProblem(problem, 'f'));
  }
  return [];
}

const slips: readonly [what: string, written: string, problem: RegExp | undefined][] = [
  ['a price per token', '"openai/x": { input: 10000.01, output: 1 }', /input: is above 10000 USD per million tokens/],
  ['force says that it is meant', '"openai/x": { input: 10000.01, output: 1, force: true }', undefined],
  ['the dearest plausible price', '"openai/x": { input: 10000, output: 10000 }', undefined],
  ['a price per million written per token', '"openai/x": { input: 0.000003, output: 0.000015 }', /below 0.0001 USD/],
  ['nothing is a decision', '"openai/x": { input: 0, output: 0 }', undefined],
  ['a fee per thousand', '"openai/x": { web_search: 101 }', /web_search: is above 100 USD a piece/],
  ['a tool fee', '"openai/x": { tools: { file_search: 2500 } }', /file_search: is above 100 USD a piece/],
];

for (const [what, written, problem] of slips) {
  test(`E12: ${what}`, () => {
    const found = problems(written);
    if (problem) assert.match(found.join('\n'), problem);
    else assert.deepEqual(found, []);
  });
}

const ways: readonly [what: string, written: string, problems: readonly string[]][] = [
  ['itself', '"openai/x": { as: openai/x }', ['f:4: prices."openai/x".as: goes in a circle: openai/x > openai/x']],
  [
    'two at each other',
    '"openai/x": { as: openai/y }\n  "openai/y": { as: openai/x }',
    [
      'f:4: prices."openai/x".as: goes in a circle: openai/x > openai/y > openai/x',
      'f:5: prices."openai/y".as: goes in a circle: openai/y > openai/x > openai/y',
    ],
  ],
  [
    'a name that itself stands for',
    '"openai/*": { as: openai/x }',
    ['f:4: prices."openai/*".as: goes in a circle: openai/* > openai/x > openai/x'],
  ],
  [
    'one that leads into a circle',
    '"openai/x": { as: openai/y }\n  "openai/y": { as: openai/y }',
    [
      'f:4: prices."openai/x".as: goes in a circle: openai/x > openai/y > openai/y',
      'f:5: prices."openai/y".as: goes in a circle: openai/y > openai/y',
    ],
  ],
  ['a wildcard at one that has a price', '"openai/*": { as: openai/x }\n  "openai/x": { input: 1, output: 1 }', []],
  [
    'one that only adds to what is known',
    '"openai/x": { as: openai/gpt-4o }\n  "openai/gpt-4o": { web_search: 0.01 }',
    [],
  ],
  ['four, one after the other', chain(4), []],
  [
    'five, one after the other',
    chain(5),
    [
      'f:4: prices."openai/a".as: leads on more than 4 times: openai/a > openai/b > openai/c > openai/d > openai/e > openai/f',
    ],
  ],
];

function chain(count: number): string {
  const steps = [...'abcdef'].slice(0, count + 1);
  return steps
    .slice(1)
    .map((to, index) => `"openai/${steps[index]}": { as: openai/${to} }`)
    .join('\n  ');
}

for (const [what, written, expected] of ways)
  test(`as that points at ${what}: ${expected.length > 0 ? 'refused' : 'taken'}`, () => {
    assert.deepEqual(problems(written), expected);
  });

test('a tool fee and a service are added to what the catalogue knows; the version says so', () => {
  const rules = load(
    '"openai/gpt-4o": { tools: { code_interpreter: 0.03 }, services: { scale: 150% }, input_audio: 40 }',
  );
  const prices = createPrices(catalogue);
  const target = { provider: { name: 'openai', catalogue: 'openai' }, model: 'gpt-4o' };
  const rate = prices.rate(target, rules, at);
  assert.ok(rate);
  assert.equal(prices.rate(target, rules, at), rate);
  assert.match(rate.version, /^genai-prices@.*\+config$/);
  assert.deepEqual(rate.fees, { file_search: 2_500_000_000, code_interpreter: 30_000_000_000 });
  assert.deepEqual(rate.services.scale, [15_000, 10_000]);
  assert.deepEqual(rate.services.batch, [1, 2]);
  assert.equal(rate.tiers[0].prices.inputAudio, 40_000_000);
  assert.equal(rate.tiers[0].prices.input, 2_500_000);
  // What is known of nothing is not a price.
  assert.equal(prices.rate({ ...target, model: 'gpt-4oo' }, load('"openai/*": { web_search: 0.01 }'), at), undefined);
});

test('A10: the line that a refusal gives to paste is a price that the configuration takes', () => {
  const prices = createPrices(catalogue);
  const target = { provider: { name: 'openai', catalogue: 'openai' }, model: 'ft:gpt-5-mini-2025-08-07:acme::abc' };
  assert.equal(prices.rate(target, [], at), undefined);
  const line = prices.line(target, ['input', 'output']);
  assert.equal(
    line,
    '  "openai/ft:gpt-5-mini-2025-08-07:acme::abc": { input: 0.00, output: 0.00 }   # or { free: true }',
  );
  assert.deepEqual(problems(line.trim()), []);
  const missing = prices.line({ ...target, model: 'gpt-4o' }, ['tool:code_interpreter', 'tier:scale', 'inputAudio']);
  assert.match(
    missing,
    /\{ input_audio: 0.00, tools: \{ "code_interpreter": 0.00 \}, services: \{ "scale": 100% \} \}/,
  );
  assert.deepEqual(problems(missing.trim()), []);
  const [rule] = load('"openai/ft:gpt-5-mini-2025-08-07:acme::abc": { as: openai/gpt-5-mini }');
  assert.ok(rule && prices.rate(target, [rule], at));
});
