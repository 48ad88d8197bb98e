import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Caller } from '../exchange/caller.ts';
import type { Outline } from '../exchange/outline.ts';
import type { Alias, Snapshot } from '../exchange/policy.ts';
import type { Rate } from '../exchange/rate.ts';
import { Refusal } from '../exchange/refusal.ts';
import type { Provider, Target } from '../exchange/target.ts';
import type { KnownProvider } from './resolve.ts';
import { createRoute } from './route.ts';

const timeouts = { connect: 1, firstByte: 1, idle: 1, total: 1 };
const provider = (name: string, ...owns: RegExp[]): Provider => ({
  name,
  owns,
  timeouts,
  format: 'openai-chat',
  baseUrl: 'https://example.test',
  auth: 'bearer',
  keys: [],
  headers: {},
  catalogue: name,
  billing: { mode: 'strict', abortStops: true, lowWater: 64 },
  tier: 'verified',
  quirks: [],
  trust: 'config',
  settings: {},
});
const openai = provider('openai', /^gpt-/, /^o\d/);
const azure = provider('azure', /^gpt-/);
const gemini = provider('gemini', /^gemini-/);
const openrouter = provider('openrouter');
const target = (of: Provider, model: string, weight = 1) => ({ provider: of, model, timeouts, weight });

const alias = (name: string, strategy: Alias['strategy'], ...targets: Alias['targets'][number][]): [string, Alias] => [
  name,
  { name, strategy, targets },
];
const snapshot: Snapshot = {
  version: 'test',
  providers: new Map([openai, azure, gemini, openrouter].map((each) => [each.name, each])),
  synonyms: new Map([
    ...['openai', 'azure', 'gemini', 'openrouter'].map((name): [string, string] => [name, name]),
    ['google', 'gemini'],
  ]),
  aliases: new Map([
    alias('chat', 'failover', target(openai, 'gpt-4o'), target(gemini, 'gemini-2.5-flash')),
    alias('cheap', 'cheapest', target(azure, 'unpriced'), target(openai, 'gpt-4o'), target(gemini, 'gemini-2.5-flash')),
    alias('split', 'weighted', target(openai, 'a', 3), target(openai, 'b', 1), target(openai, 'never', 0)),
    alias('gpt-4o', 'failover', target(azure, 'prod')),
  ]),
  budgets: [],
  limits: [],
  prices: [],
};
const rate = (input: number): Rate => ({
  version: 'test',
  longContext: 'whole_request',
  tiers: [{ above: 0, prices: { input, output: input } }],
  services: {},
});
const known: readonly KnownProvider[] = [
  {
    name: 'anthropic',
    synonyms: ['claude'],
    owns: [/^claude-/],
    keyVariables: ['ANTHROPIC_API_KEY'],
    keyFileVariables: [],
  },
  { name: 'ollama', synonyms: [], owns: [], keyVariables: [], keyFileVariables: [] },
];
const outline = {} as unknown as Outline;
const caller = (...allowedModels: string[]): Caller => ({ keyId: 'k', keyName: 'k', allowedModels, scopes: [] });

function bench(fraction = 0) {
  const time = { ms: 0 };
  const route = createRoute(
    { now: () => time.ms, monotonic: () => time.ms },
    { fraction: () => fraction },
    {
      rate: ({ model }) => ({ 'gpt-4o': rate(5), 'gemini-2.5-flash': rate(1) })[model],
      models: (id) => (id === 'openai' ? ['gpt-4o', 'o3'] : id === 'openrouter' ? ['openai/gpt-4o'] : []),
    },
    known,
  );
  const plan = (model: string, providerHeader?: string, allowedModels: string[] = []) =>
    route.plan({ model, providerHeader, caller: caller(...allowedModels), outline, snapshot });
  const names = (...wants: Parameters<typeof plan>) =>
    plan(...wants).targets.map((each) => `${each.provider.name}:${each.model}`);
  return { route, plan, names, time };
}

const resolutions: readonly [string, string | undefined, string[], string[] | string][] = [
  ['chat', undefined, [], ['openai:gpt-4o', 'gemini:gemini-2.5-flash']],
  ['gpt-4o', undefined, [], ['azure:prod']],
  ['openai/gpt-4o', undefined, [], ['openai:gpt-4o']],
  ['google/gemini-2.5-flash', undefined, [], ['gemini:gemini-2.5-flash']],
  ['openrouter/meta-llama/llama-3', undefined, [], ['openrouter:meta-llama/llama-3']],
  ['gpt-4o', 'openai', [], ['openai:gpt-4o']],
  ['openai/gpt-4o', ' OpenAI ', [], ['openai:gpt-4o']],
  ['meta-llama/llama-3', 'openrouter', [], ['openrouter:meta-llama/llama-3']],
  ['openai/gpt-4o', 'openrouter', [], ['openrouter:openai/gpt-4o']],
  ['gemini-2.5-pro', 'google', [], ['gemini:gemini-2.5-pro']],
  ['gpt-4o-mini', undefined, [], ['openai:gpt-4o-mini']],
  ['gpt-4o-mini', undefined, ['azure/*'], ['azure:gpt-4o-mini']],
  ['o3', undefined, [], ['openai:o3']],
  // What a key may use holds for aliases and for what is named directly.
  ['chat', undefined, ['chat'], ['openai:gpt-4o', 'gemini:gemini-2.5-flash']],
  ['chat', undefined, ['google/*'], ['gemini:gemini-2.5-flash']],
  ['chat', undefined, ['mistral/*'], 'not_allowed'],
  ['openai/gpt-4o', undefined, ['chat'], 'not_allowed'],
  ['gpt-4o-mini', undefined, ['chat'], 'not_allowed'],
  ['gpt-4o', 'openai', ['chat'], 'not_allowed'],
  ['openai/gpt-4o', undefined, ['gpt-*'], ['openai:gpt-4o']],
  ['openrouter/openai/gpt-4o', undefined, ['openai/*'], 'not_allowed'],
  ['openai/gpt-4o', 'openrouter', ['openai/*'], 'not_allowed'],
  // Nobody's.
  ['claude-sonnet-5', undefined, [], 'set ANTHROPIC_API_KEY where the gateway runs, to use anthropic'],
  ['anthropic/claude-sonnet-5', undefined, [], 'set ANTHROPIC_API_KEY'],
  ['claude-sonnet-5', 'claude', [], 'at "claude": set ANTHROPIC_API_KEY'],
  ['ollama/llama3', undefined, [], 'name ollama under providers:'],
  ['nonsense', undefined, [], 'write provider/model or an alias'],
  ['/gpt-4o', undefined, [], 'write provider/model'],
  ['openai/', undefined, [], 'write provider/model'],
  ['', undefined, [], 'write provider/model'],
  ['gpt-'.repeat(99), undefined, [], 'unknown_model'],
];

for (const [model, header, allowedModels, expected] of resolutions) {
  test(`"${model.slice(0, 40)}" ${header ? `at ${header} ` : ''}for [${allowedModels}] is ${expected}`, () => {
    const { names } = bench();
    if (Array.isArray(expected)) return assert.deepEqual(names(model, header, allowedModels), expected);
    assert.throws(
      () => names(model, header, allowedModels),
      (error) => {
        assert.ok(error instanceof Refusal);
        if (expected === 'not_allowed') assert.equal(error.refusal, 'not_allowed');
        else assert.equal(error.refusal, 'unknown_model');
        if (expected.includes(' ')) assert.ok(error.message.includes(expected), error.message);
        return true;
      },
    );
  });
}

test('the alias is the rule that is shown, a named target has none', () => {
  assert.equal(bench().plan('chat').rule, 'chat');
  assert.equal(bench().plan('openai/gpt-4o').rule, undefined);
});

test('cheapest goes by price, what has none comes last', () => {
  assert.deepEqual(bench().names('cheap'), ['gemini:gemini-2.5-flash', 'openai:gpt-4o', 'azure:unpriced']);
});

test('weighted draws by weight, weight 0 is the last hope', () => {
  assert.deepEqual(bench(0.74).names('split'), ['openai:a', 'openai:b', 'openai:never']);
  assert.deepEqual(bench(0.75).names('split'), ['openai:b', 'openai:a', 'openai:never']);
});

const first = target(openai, 'gpt-4o') satisfies Target;
const healthy = ['openai:gpt-4o', 'gemini:gemini-2.5-flash'];
const turned = ['gemini:gemini-2.5-flash', 'openai:gpt-4o'];

test('three failures in a row cool a target for 5 s, then 10 s, and a success heals it', () => {
  const { route, names, time } = bench();
  route.report(first, false);
  route.report(first, false);
  assert.deepEqual(names('chat'), healthy);
  // What was in flight together fails together and cools once.
  for (let failure = 0; failure < 50; failure++) route.report(first, false);
  assert.deepEqual(names('chat'), turned);
  assert.deepEqual(names('openai/gpt-4o'), ['openai:gpt-4o']);
  time.ms = 4_999;
  assert.deepEqual(names('chat'), turned);
  time.ms = 5_000;
  assert.deepEqual(names('chat'), healthy);
  route.report(first, false);
  time.ms = 14_999;
  assert.deepEqual(names('chat'), turned);
  time.ms = 15_000;
  assert.deepEqual(names('chat'), healthy);
  route.report(first, true);
  route.report(first, false);
  assert.deepEqual(names('chat'), healthy);
});

test('Retry-After is honoured at the first failure, up to ten minutes', () => {
  const { route, names, time } = bench();
  route.report(first, false, 30);
  time.ms = 29_999;
  assert.deepEqual(names('chat'), turned);
  time.ms = 30_000;
  assert.deepEqual(names('chat'), healthy);
  route.report(first, false, 1e9);
  time.ms = 630_000;
  assert.deepEqual(names('chat'), healthy);
});

test('a provider is up while another of its models answers', () => {
  const { route, time } = bench();
  for (let failure = 0; failure < 3; failure++) route.report(first, false);
  route.report(target(gemini, 'x'), true);
  assert.deepEqual(route.health(), [
    { provider: 'openai', up: false },
    { provider: 'gemini', up: true },
  ]);
  time.ms = 1;
  route.report(target(openai, 'o3'), true);
  assert.equal(route.health()[0]?.up, true);
});

const call = { sent: false, message: '' } as const;
const answer = { status: 500, message: '' } as const;
const retries: readonly [Parameters<ReturnType<typeof createRoute>['retry']>[0], number, string][] = [
  [{ ...call, kind: 'connect' }, 1, 'same'],
  [{ ...call, kind: 'connect' }, 2, 'next'],
  [{ ...call, kind: 'reset' }, 1, 'same'],
  [{ ...call, kind: 'reset', sent: true }, 1, 'next'],
  [{ ...call, kind: 'forbidden-address' }, 1, 'next'],
  [{ ...call, kind: 'timeout', clock: 'connect' }, 1, 'next'],
  [{ ...call, kind: 'timeout', clock: 'first-byte', sent: true }, 1, 'next'],
  [{ ...call, kind: 'timeout', clock: 'total', sent: true }, 1, 'no'],
  [{ ...call, kind: 'aborted' }, 1, 'no'],
  [{ ...answer, kind: 'rate-limit' }, 1, 'next'],
  [{ ...answer, kind: 'overloaded' }, 1, 'next'],
  [{ ...answer, kind: 'server' }, 1, 'next'],
  [{ ...answer, kind: 'quota' }, 1, 'next'],
  [{ ...answer, kind: 'authentication' }, 1, 'next'],
  [{ ...answer, kind: 'not-found' }, 1, 'next'],
  [{ ...answer, kind: 'invalid-request' }, 1, 'no'],
  [{ ...answer, kind: 'content-filter' }, 1, 'no'],
  [{ ...answer, kind: 'context-too-long' }, 1, 'no'],
];

for (const [failure, attempt, expected] of retries) {
  test(`after ${failure.kind} (attempt ${attempt}): ${expected}`, () => {
    assert.equal(bench().route.retry(failure, attempt), expected);
  });
}

test('the list of models is what the key may use', () => {
  const { route } = bench();
  const ids = (...allowedModels: string[]) => route.models(caller(...allowedModels), snapshot).map((each) => each.id);
  const catalogue = ['openai/gpt-4o', 'openai/o3', 'openrouter/openai/gpt-4o'];
  assert.deepEqual(ids(), ['chat', 'cheap', 'split', 'gpt-4o', ...catalogue]);
  assert.deepEqual(ids('openai/*'), ['chat', 'cheap', 'split', 'openai/gpt-4o', 'openai/o3']);
  assert.deepEqual(ids('split'), ['split']);
});
