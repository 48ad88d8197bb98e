import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '../exchange/refusal.ts';
import { type Provider, Secret } from '../exchange/target.ts';
import { quirks } from './body.ts';
import { createProviders } from './providers.ts';
import { type ConfiguredProvider, genericRow, ProviderProblem, readyProvider } from './ready.ts';
import { cloud, provider, target, world } from './sample-world.test.ts';
import { rows } from './table.ts';

const azure = { keys: [new Secret('k')], settings: { endpoint: 'https://r.openai.azure.com/' } };

const addresses: [Provider, string, boolean, string][] = [
  [provider('openai'), 'gpt-4o', true, 'https://api.openai.com/v1/chat/completions'],
  [provider('anthropic'), 'claude-sonnet-4-5', true, 'https://api.anthropic.com/v1/messages'],
  [
    provider('anthropic', { keys: [new Secret('k')], baseUrl: 'https://proxy.test/anthropic/v1/' }),
    'claude-sonnet-4-5',
    false,
    'https://proxy.test/anthropic/v1/messages',
  ],
  [
    provider('gemini'),
    'gemini-2.5-flash',
    false,
    'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent',
  ],
  [
    provider('gemini'),
    'models/gemini-2.5-flash',
    true,
    'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
  ],
  [
    provider('gemini', { keys: [new Secret('k')], baseUrl: 'http://127.0.0.1:9/v1beta' }),
    'tunedModels/a b?c#d%2e',
    false,
    'http://127.0.0.1:9/v1beta/tunedModels/a%20b%3Fc%23d%252e:generateContent',
  ],
  [provider('deepseek'), 'deepseek-chat', true, 'https://api.deepseek.com/chat/completions'],
  [provider('groq'), 'openai/gpt-oss-120b', true, 'https://api.groq.com/openai/v1/chat/completions'],
  [provider('ollama', {}), 'llama3.2:1b', true, 'http://127.0.0.1:11434/v1/chat/completions'],
  [provider('azure', azure), 'prod', true, 'https://r.openai.azure.com/openai/v1/chat/completions'],
  [
    provider('azure', { ...azure, settings: { ...azure.settings, api_version: '2024-10-21' } }),
    'my deployment',
    true,
    'https://r.openai.azure.com/openai/deployments/my%20deployment/chat/completions?api-version=2024-10-21',
  ],
  [
    provider('azure', {
      keys: [new Secret('k')],
      baseUrl: 'https://r.openai.azure.com/openai/v1',
      settings: { api_version: 'preview' },
    }),
    'prod',
    true,
    'https://r.openai.azure.com/openai/v1/chat/completions?api-version=preview',
  ],
];

test('each format and scheme is addressed as its provider expects', () => {
  const providers = createProviders(world().small);
  for (const [one, model, stream, expected] of addresses) {
    const { origin, path } = providers.address(target(one, model), stream);
    assert.equal(origin + path, expected);
  }
  assert.equal(providers.address(target(provider('sim', {}), 'sim-small'), false).origin, 'sim:');
});

test('each auth puts the key in its own header, and only there', () => {
  const providers = createProviders(world().small);
  for (const [name, header, value] of [
    ['openai', 'authorization', 'Bearer k-1'],
    ['anthropic', 'x-api-key', 'k-1'],
    ['gemini', 'x-goog-api-key', 'k-1'],
  ] as const) {
    const { headers, path } = providers.address(target(provider(name), 'm'), true);
    assert.equal(headers[header], value);
    assert.equal(JSON.stringify(headers).split('k-1').length, 2);
    assert.ok(!path.includes('k-1'));
    assert.equal(headers.accept, 'text/event-stream');
  }
  const { headers } = providers.address(target(provider('azure', azure), 'm'), false);
  assert.equal(headers['api-key'], 'k');
  assert.equal(providers.address(target(provider('anthropic'), 'm'), false).headers['anthropic-version'], '2023-06-01');
  assert.equal('authorization' in providers.address(target(provider('vllm', {}), 'm'), false).headers, false);
  const guarded = provider('vllm', { keys: [new Secret('t')] });
  assert.equal(providers.address(target(guarded, 'm'), false).headers.authorization, 'Bearer t');
});

test('several keys are used in turn; none is a refusal', () => {
  const providers = createProviders(world().small);
  const two = provider('openai', { keys: [new Secret('a'), new Secret('b')] });
  const used = [1, 2, 3].map(() => providers.address(target(two, 'm'), true).headers.authorization);
  assert.deepEqual(used, ['Bearer a', 'Bearer b', 'Bearer a']);
  assert.throws(() => providers.address(target(provider('openai', {}), 'm'), true), Refusal);
});

test('a model name cannot leave its place in the address', () => {
  const providers = createProviders(world().small);
  const strictOnes = [
    provider('gemini'),
    provider('azure', { ...azure, settings: { ...azure.settings, api_version: '2024-10-21' } }),
  ];
  for (const one of [...strictOnes, provider('openai')]) {
    for (const model of ['', 'a\r\nb', 'a\nb', 'a\0b', 'a\u0085b', 'x'.repeat(257)])
      assert.throws(
        () => providers.address(target(one, model), true),
        { refusal: 'invalid_request' },
        JSON.stringify(model),
      );
  }
  for (const one of strictOnes) {
    for (const model of [
      '..',
      'a/../b',
      'a/b',
      'a\\b',
      '.',
      '..:generateContent',
      'models/..',
      'models/../x',
      'tunedModels/a/b',
    ])
      assert.throws(() => providers.address(target(one, model), true), { refusal: 'invalid_request' }, model);
  }
});

test('an answer that is not streamed may take longer to begin, never longer than the total', () => {
  const providers = createProviders(world().small);
  const one = provider('openai');
  assert.equal(providers.address(target(one, 'm'), true).timeouts.firstByte, 120_000);
  assert.equal(providers.address(target(one, 'm'), false).timeouts.firstByte, 600_000);
  const short = provider('openai', { keys: [new Secret('k')], timeouts: { total: 300_000 } });
  assert.equal(providers.address(target(short, 'm'), false).timeouts.firstByte, 300_000);
});

const problems: [string, ConfiguredProvider, string][] = [
  ['openai', { baseUrl: 'api.example.com' }, 'base_url'],
  ['openai', { baseUrl: 'ftp://a.test' }, 'base_url'],
  ['openai', { baseUrl: 'https://user:pass@a.test/v1' }, 'base_url'],
  ['openai', { baseUrl: 'https://a.test/v1?key=1' }, 'base_url'],
  ['openai', { keys: [new Secret('a b')] }, 'api_key'],
  ['openai', { keys: [new Secret('a\r\nx: y')] }, 'api_key'],
  ['openai', { headers: { Host: 'x' } }, 'headers.Host'],
  ['openai', { headers: { 'x-y': 'a\r\nb' } }, 'headers.x-y'],
  ['openai', { headers: { 'x y': 'a' } }, 'headers.x y'],
  ['azure', { keys: [new Secret('k')] }, 'endpoint'],
  ['vertex', {}, 'project'],
  ['vertex', { settings: { project: 'p', location: 'evil.test/' } }, 'location'],
  ['vertex', { keys: [new Secret('not json')] }, 'api_key'],
];

test('what cannot be used as configured is a problem that names its key', () => {
  for (const [name, configured, key] of problems) {
    assert.throws(
      () => provider(name, configured),
      (error) => error instanceof ProviderProblem && error.key === key,
      `${name} ${key}`,
    );
  }
});

test('rows are whole: known quirks, anchored patterns, unique names', () => {
  const names = rows.flatMap((row) => [row.name, ...row.synonyms]);
  assert.equal(new Set(names).size, names.length);
  for (const row of rows) {
    for (const quirk of row.quirks) assert.ok(quirk in quirks, quirk);
    for (const pattern of row.owns) assert.ok(pattern.source.startsWith('^'), `${row.name} ${pattern}`);
    assert.ok(row.billing.lowWater > 0);
  }
  for (const [model = '', owner] of [
    ['gpt-4o', 'openai'],
    ['o3', 'openai'],
    ['o4-mini', 'openai'],
    ['claude-sonnet-4-5', 'anthropic'],
    ['gemini-2.5-flash', 'gemini'],
    ['deepseek-chat', 'deepseek'],
    ['grok-4', 'xai'],
    ['mistral-large-latest', 'mistral'],
    ['sim-small', 'sim'],
    ['olympus', undefined],
  ]) {
    assert.equal(rows.find((row) => row.owns.some((pattern) => pattern.test(model)))?.name, owner, model);
  }
});

test('a provider that only the configuration knows takes its format’s usual credential', () => {
  const own = readyProvider(genericRow('eu', 'anthropic-messages'), {
    keys: [new Secret('k')],
    baseUrl: 'https://eu.test',
  });
  const { headers, path } = createProviders(world().small).address(target(own, 'm'), true);
  assert.equal(path, '/v1/messages');
  assert.equal(headers['x-api-key'], 'k');
});

const bodies: [string, string, string][] = [
  ['mistral', '{"stream_options":{"include_usage":true},"model":"m"}', '{"model":"m"}'],
  ['mistral', '{"model":"m", "stream_options" : {}, "x":1,"seed":4}', '{"model":"m", "x":1,"random_seed":4}'],
  ['mistral', '{"stream_options":{}}', '{}'],
  ['mistral', '{"seed":1,"random_seed":2,"stream_options":null}', '{"random_seed":2}'],
  [
    'deepseek',
    '{"max_completion_tokens":5,"messages":[{"max_completion_tokens":1}]}',
    '{"max_tokens":5,"messages":[{"max_completion_tokens":1}]}',
  ],
  ['deepseek', '{"max_tokens":3,"max_completion_tokens":5}', '{"max_tokens":3}'],
  ['openai', '{"max_completion_tokens":5}', '{"max_completion_tokens":5}'],
];

test('a dialect is an edit of the members it names', () => {
  const providers = createProviders(world().small);
  for (const [name, body, expected] of bodies) {
    const one = target(provider(name), 'm');
    assert.equal(providers.adjust(one, Buffer.from(body)).toString(), expected);
    assert.equal(providers.adjust(one, body).toString(), expected);
  }
  const untouched = Buffer.from('{"model":"m"}');
  assert.equal(providers.adjust(target(provider('deepseek'), 'm'), untouched), untouched);
  const claude = target(provider('vertex-anthropic', cloud), 'claude');
  assert.deepEqual(JSON.parse(providers.adjust(claude, '{"max_tokens":1,"model":"x","messages":[]}').toString()), {
    max_tokens: 1,
    anthropic_version: 'vertex-2023-10-16',
    messages: [],
  });
});
