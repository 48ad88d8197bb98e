import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '../exchange/refusal.ts';
import { type Asks, readAsks } from './asks.ts';
import { findCredential } from './credential.ts';
import { createIds } from './ids.ts';
import { readBody } from './request.ts';
import { matchSurface } from './surfaces.ts';

const surfaces: readonly [string, string, string | undefined][] = [
  ['POST', '/v1/chat/completions', 'openai-chat generate'],
  ['POST', '/v1/chat/completions?beta=true', 'openai-chat generate'],
  ['GET', '/v1/chat/completions', 'openai-chat generate, not allowed'],
  ['POST', '/v1/messages', 'anthropic-messages generate'],
  ['GET', '/v1/models', 'openai-chat models'],
  ['GET', '/v1beta1/models', 'gemini-generate models'],
  ['GET', '/v1/models/openai%2Fgpt-4o', 'openai-chat models openai/gpt-4o'],
  ['GET', '/v1beta/models/ollama/llama3:8b', 'gemini-generate models ollama/llama3:8b'],
  ['POST', '/v1beta/models/gemini-2.5-flash:countTokens', undefined],
  ['POST', '/v1beta/models/gemini-2.5-flash:generateContent', 'gemini-generate generate gemini-2.5-flash sse'],
  ['POST', '/v1beta/models/gemini/x:streamGenerateContent?alt=sse', 'gemini-generate generate gemini/x sse stream'],
  ['POST', '/v1/models/a%2Fb:streamGenerateContent', 'gemini-generate generate a/b json-array stream'],
  ['POST', '/v1beta/models/%zz:generateContent', undefined],
  ['POST', '/v1beta/models/:generateContent', undefined],
  ['POST', '//v1/chat/completions', undefined],
  ['POST', '/v1/chat/completions/', undefined],
  ['POST', '/v1%2Fchat/completions', undefined],
  ['POST', 'http://evil.example/v1/chat/completions', undefined],
  ['POST', '/v1/../v1/chat/completions', undefined],
];

for (const [method, target, wanted] of surfaces)
  test(`${method} ${target} is ${wanted}`, () => {
    const match = matchSurface(method, target);
    const { surface, allowed } = match ?? {};
    const words = surface && [surface.format, surface.kind, surface.model, surface.framing, surface.stream && 'stream'];
    assert.equal(words && words.filter(Boolean).join(' ') + (allowed ? '' : ', not allowed'), wanted);
  });

test('the credential is found wherever an SDK puts it, by one rule', () => {
  const key = 'sk-tg-abc';
  for (const headers of [
    { authorization: `Bearer ${key}` },
    { 'x-api-key': key },
    { 'x-goog-api-key': key },
    { 'api-key': key },
  ])
    assert.equal(findCredential(headers, ''), key);
  assert.equal(findCredential({}, `alt=sse&key=${key}`), key);
  assert.equal(findCredential({}, ''), undefined);
  // Another scheme is not a key, and does not make room for one that stands elsewhere.
  assert.equal(findCredential({ authorization: `Basic ${key}`, 'x-api-key': key }, ''), '');
});

const plain: Asks = {
  provider: undefined,
  strict: false,
  timeoutMs: undefined,
  maxCost: undefined,
  tags: {},
  run: undefined,
  labels: {},
  retries: 0,
};
const asked: readonly [Record<string, string>, Partial<Asks>][] = [
  [{}, {}],
  [
    { 'x-tollgate-strict': '1', 'x-llm-provider': ' openai ' },
    { strict: true, provider: 'openai' },
  ],
  [
    { 'x-tollgate-timeout': '1.5s', 'x-tollgate-max-cost': '0.05' },
    { timeoutMs: 1500, maxCost: 50_000_000 },
  ],
  [{ 'x-tollgate-timeout': '250ms' }, { timeoutMs: 250 }],
  [
    { 'x-tollgate-tags': 'feature=search, team=a,bare', 'x-tollgate-run': 'r1', 'x-tollgate-agent': 'coder' },
    { tags: { feature: 'search', team: 'a', bare: 'true' }, run: 'r1', labels: { agent: 'coder' } },
  ],
  [{ 'x-tollgate-tags': 'a:b=c,d:e=true' }, { tags: { 'a:b': 'c', 'd:e': 'true' } }],
  [{ 'x-litellm-tags': 'feature:search' }, { tags: { 'feature:search': 'true' } }],
  [{ 'x-portkey-metadata': '{"user":"ann","n":1}' }, { tags: { user: 'ann', n: '1' } }],
  [{ 'x-portkey-metadata': 'not json' }, {}],
  [{ 'x-stainless-retry-count': '2' }, { retries: 2 }],
  [{ 'x-stainless-retry-count': '-4' }, {}],
];

for (const [headers, wanted] of asked)
  test(`asked by ${JSON.stringify(headers)}`, () => {
    const { tags, ...rest } = readAsks(headers);
    assert.deepEqual({ ...rest, tags: { ...tags } }, { ...plain, ...wanted });
  });

for (const headers of [
  { 'x-tollgate-timeout': 'soon' },
  { 'x-tollgate-timeout': '0' },
  { 'x-tollgate-max-cost': 'cheap' },
  { 'x-tollgate-tags': 'a b=c' },
  { 'x-tollgate-tags': 'team=' },
  { 'x-tollgate-tags': Array.from({ length: 17 }, (_, index) => `t${index}=x`).join(',') },
])
  test(`a limit that cannot be read is refused, not lost: ${JSON.stringify(headers)}`, () =>
    assert.throws(() => readAsks(headers), Refusal));

for (const [tags, says] of [
  ['feature:search', /"feature:search" has no value\. Write feature=search, or feature:search=VALUE/],
  ['team=a, env:prod:eu', /Write env=prod:eu, or env:prod:eu=VALUE/],
  ['feature:', /Write feature:=VALUE where/],
  [':search', /Write :search=VALUE where/],
] as const)
  test(`a tag with a colon for its = does not pass by a budget: ${tags}`, () =>
    assert.throws(() => readAsks({ 'x-tollgate-tags': tags }), says));

test('tags are bounded, and cannot reach a prototype', () => {
  const many = Array.from({ length: 100 }, (_, index) => `t${index}=x`).join(',');
  assert.equal(Object.keys(readAsks({ 'x-litellm-tags': many }).tags).length, 16);
  const { tags } = readAsks({ 'x-tollgate-tags': '__proto__=x,constructor=y' });
  assert.equal(({} as Record<string, unknown>).x, undefined);
  assert.equal(tags.constructor, 'y');
});

const bodies: readonly [string, string | Buffer, RegExp][] = [
  ['empty', '', /empty/],
  ['cut', '{"model":"m"', /not valid JSON/],
  ['an array', '[]', /object/],
  ['null', 'null', /object/],
  ['a duplicate owned key', '{"model":"a","x":1,"model":"b"}', /"model" stands more than once/],
  ['an escaped owned key', '{"mod\\u0065l":"b"}', /without escapes/],
  ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), /UTF-8/],
];

for (const [name, text, wanted] of bodies)
  test(`a body that is ${name} is refused`, () => {
    assert.throws(
      () => readBody(Buffer.from(text), new Set(['model'])),
      (error: unknown) => error instanceof Refusal && error.refusal === 'invalid_request' && wanted.test(error.message),
    );
  });

const many = (count: number, each: string): string => new Array<string>(count).fill(each).join(',');
const nested = (levels: number): string => `${'[{"a":'.repeat(levels / 2)}1${'}]'.repeat(levels / 2)}`;
const extents: readonly [string, string, Refusal['refusal'] | undefined][] = [
  ['nests 128 deep', `{"model":"m","x":${nested(126)},"y":{}}`, undefined],
  ['nests deeper', `{"model":"m","x":[${nested(128)}]}`, 'invalid_request'],
  ['nests deeper than any stack and is no object', '['.repeat(1e6), 'invalid_request'],
  ['nests deeper than any stack and is never closed', `{"x":${'{"a":'.repeat(1e6)}`, 'invalid_request'],
  ['holds 99,000 numbers', `{"model":"m","x":[${many(99_000, '1')}]}`, undefined],
  ['holds more numbers', `{"model":"m","x":[${many(101_000, '1')}]}`, 'too_large'],
  ['holds more of what is empty', `{"x":[${many(60_000, '{}')}]}`, 'too_large'],
  ['holds more in columns', `{"x":[${many(1000, nested(100))}],"y":[${many(1000, nested(100))}]}`, 'too_large'],
  ['is a list of too much', `[${many(101_000, '1')}]`, 'too_large'],
  ['holds brackets and commas in its words alone', `{"model":"m","x":"${many(101_000, '[{')}"}`, undefined],
  [
    'has more members than any API',
    `{${Array.from({ length: 1001 }, (_, at) => `"k${at}":1`).join(',')}}`,
    'too_large',
  ],
];

for (const [name, text, wanted] of extents)
  test(`a body that ${name} is ${wanted ?? 'taken'}`, () => {
    const read = () => readBody(Buffer.from(text), new Set(['model']));
    if (wanted === undefined) assert.equal(read().body.model, 'm');
    else assert.throws(read, (error: unknown) => error instanceof Refusal && error.refusal === wanted);
  });

test('a refusal never quotes the body', () => {
  assert.throws(
    () => readBody(Buffer.from('{"messages": "my secret prompt" oops'), new Set()),
    (error: unknown) => error instanceof Refusal && !/secret|oops/.test(error.message),
  );
});

test('duplicates of what we do not own pass, as do owned names deeper down', () => {
  const { body } = readBody(Buffer.from('{"a":1,"a":2,"model":"m","x":{"model":1,"model":2}}'), new Set(['model']));
  assert.equal(body.model, 'm');
});

test('ids are UUIDv7: they sort by time and do not repeat', () => {
  let now = Date.UTC(2026, 0, 1);
  let drawn = 0;
  const next = createIds(
    { now: () => now } as never,
    { bytes: (length: number) => Buffer.from(Array.from({ length }, () => drawn++ % 251)) } as never,
  );
  const ids = Array.from({ length: 600 }, () => {
    now++;
    return next();
  });
  assert.deepEqual(ids.toSorted(), ids);
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const chance = (id: string): number => Number.parseInt(id[19] ?? '', 16) - 8;
  const often = [0, 1, 2, 3].map((each) => ids.filter((id) => chance(id) === each).length);
  for (const count of often) assert.ok(count > 130 && count < 170, `variants ${often}`);
});
