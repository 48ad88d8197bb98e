import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { caller, manualClock } from '../../test/ledger.ts';
import { allowed } from '../exchange/allowed.ts';
import type { KeyRecord } from '../exchange/caller.ts';
import { matches } from '../exchange/glob.ts';
import { Refusal } from '../exchange/refusal.ts';
import { createIdentify } from './identify.ts';

const pepper = Buffer.alloc(32, 7);

function seeded(): { bytes(length: number): Buffer; fraction(): number } {
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  };
  return { bytes: (length) => Buffer.from(Array.from({ length }, next)), fraction: () => next() / 256 };
}

function refusal(run: () => unknown): Refusal {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof Refusal);
    assert.equal(error.refusal, 'invalid_key');
    return error;
  }
  throw new Error('was not refused');
}

test('a minted key is let in at once, and only its HMAC is kept', () => {
  const identify = createIdentify(pepper, manualClock(1000), []);
  const { key, record } = identify.mint(seeded(), { name: 'ci', budget: { limit: 5, per: 'day' } });
  assert.match(key, /^sk-tg-[0-9A-Za-z]{40}$/);
  assert.deepEqual(identify.identify(key), {
    keyId: record.id,
    keyName: 'ci',
    allowedModels: [],
    scopes: ['global', `key:${record.id}`],
    budget: { limit: 5, per: 'day' },
  });
  assert.equal(identify.identify(key), identify.identify(key), 'the same object each time');
  assert.equal(record.hash, createHmac('sha256', pepper).update(key).digest('hex'));
  assert.ok(!JSON.stringify(identify.list()).includes(key.slice(12)));
});

test('records from a store are known again under the same pepper and no other', () => {
  const { key, record } = createIdentify(pepper, manualClock(0), []).mint(seeded(), { name: 'ci' });
  assert.equal(createIdentify(pepper, manualClock(0), [record]).identify(key).keyId, record.id);
  refusal(() => createIdentify(Buffer.alloc(32, 8), manualClock(0), [record]).identify(key));
});

test('what is no key is refused and never repeated', () => {
  const identify = createIdentify(pepper, manualClock(0), []);
  const { key } = identify.mint(seeded(), { name: 'ci' });
  const wrong = [
    key.slice(0, -1),
    `${key}x`,
    key.toUpperCase(),
    `sk-tg-${'x'.repeat(5000)}`,
    'sk-proj-secret',
    'sk-tg-',
  ];
  for (const credential of wrong) {
    const { message, detail } = refusal(() => identify.identify(credential));
    if (credential !== 'sk-tg-') assert.ok(!message.includes(credential.slice(3, 12)) || message.includes('sk-tg-…'));
    assert.ok(!JSON.stringify([message, detail]).includes(credential.slice(6) || 'nothing'));
  }
  assert.match(refusal(() => identify.identify(undefined)).message, /No key was sent/);
  assert.match(refusal(() => identify.identify('')).message, /No key was sent/);
});

test('a revoked key is out at the next request, remembered or not; its first date stays', () => {
  const identify = createIdentify(pepper, manualClock(0), []);
  const { key, record } = identify.mint(seeded(), { name: 'ci' });
  identify.identify(key);
  assert.equal(identify.revoke(record.id, 1000)?.revokedAt, 1000);
  assert.equal(identify.revoke(record.id, 2000)?.revokedAt, 1000);
  assert.match(refusal(() => identify.identify(key)).message, /"ci".*was revoked at 1970-01-01T00:00:01/);
  assert.equal(identify.revoke('nobody', 1), undefined);
});

test('a key expires by the clock, also when it is remembered', () => {
  const clock = manualClock(0);
  const identify = createIdentify(pepper, clock, []);
  const { key } = identify.mint(seeded(), { name: 'ci', expiresAt: 5000 });
  clock.set(4999);
  identify.identify(key);
  clock.set(5000);
  assert.match(refusal(() => identify.identify(key)).message, /expired at 1970-01-01T00:00:05/);
});

test('a record that changes acts at once; a new hash ends the old key', () => {
  const identify = createIdentify(pepper, manualClock(0), []);
  const { key, record } = identify.mint(seeded(), { name: 'ci' });
  identify.identify(key);
  identify.add({ ...record, allowedModels: ['gpt-*'] });
  assert.deepEqual(identify.identify(key).allowedModels, ['gpt-*']);
  identify.add({ ...record, hash: '00'.repeat(32) });
  refusal(() => identify.identify(key));
  assert.equal(identify.list().length, 1);
});

test('an id that would break out of its scope is refused', () => {
  const identify = createIdentify(pepper, manualClock(0), []);
  const { record } = identify.mint(seeded(), { name: 'ci' });
  for (const id of ['', 'a/b', 'a b', 'a*', 'ü']) {
    assert.throws(() => identify.add({ ...record, id } as KeyRecord), RangeError);
  }
});

test('more keys than are remembered all stay valid', () => {
  const identify = createIdentify(pepper, manualClock(0), []);
  const random = seeded();
  const keys = Array.from({ length: 10_050 }, (_, index) => identify.mint(random, { name: `${index}` }));
  for (const { key, record } of keys) assert.equal(identify.identify(key).keyId, record.id);
  for (const { key, record } of keys.slice(0, 100)) assert.equal(identify.identify(key).keyId, record.id);
});

const patterns: readonly [string, string, boolean][] = [
  ['gpt-4o', 'gpt-4o', true],
  ['gpt-4o', 'gpt-4o-mini', false],
  ['gpt-*', 'gpt-4o-mini', true],
  ['openai/*', 'openai/gpt-4o', true],
  ['openai/*', 'gpt-4o', false],
  ['*', 'anything/at-all', true],
  ['*-mini', 'gpt-4o-mini', true],
  ['a*a', 'a', false],
  ['a*b*c', 'a-b-b-c', true],
  ['a*b*c', 'acb', false],
  ['GPT-*', 'gpt-4o', false],
  ['gpt-4.1', 'gpt-4x1', false],
];

for (const [pattern, name, fits] of patterns) {
  test(`${pattern} ${fits ? 'matches' : 'does not match'} ${name}`, () => {
    assert.equal(allowed(caller('k', { allowedModels: [pattern] }), ['other', name]), fits);
  });
}

test('no allowed models means every model', () => assert.ok(allowed(caller('k'), ['anything'])));

test('a glob agrees with the regular expression it stands for', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
  fc.assert(
    fc.property(text, fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 }), (pattern, name) => {
      assert.equal(matches(pattern, name), new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name));
    }),
    { seed: 9, numRuns: 5000 },
  );
});
