import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LimitRule } from '../exchange/policy.ts';
import { Refusal } from '../exchange/refusal.ts';
import { createLimit, type LimitOptions } from './limit.ts';

const start = Date.parse('2026-11-21T12:00:00Z');

function bench(options: LimitOptions = {}) {
  let ms = 0;
  const limit = createLimit({ now: () => start + ms, monotonic: () => ms }, options);
  const enter = (limits: readonly LimitRule[], tokens = 0, scopes: readonly string[] = []) =>
    limit.enter({
      caller: { keyId: 'a', keyName: 'a', allowedModels: [], scopes: ['global', 'key:a'] },
      limits,
      tokens,
      claims: scopes.map((scope) => ({ scope })),
    }).leave;
  return { enter, limit, pass: (more: number) => (ms += more) };
}

function refused(task: () => unknown): Refusal {
  try {
    task();
  } catch (error) {
    assert.ok(error instanceof Refusal);
    return error;
  }
  return assert.fail('was admitted');
}

const key = (more: Omit<LimitRule, 'scope' | 'per'>): LimitRule => ({ scope: 'key:*', per: 'minute', ...more });

test('B10: what is refused by concurrency has not used up a request', () => {
  const { enter } = bench();
  const rules = [key({ requests: 2 }), { scope: 'global', per: 'hour', concurrency: 1 } as const];
  const leave = enter(rules);
  const refusal = refused(() => enter(rules));
  assert.equal(refusal.refusal, 'rate_limited');
  assert.equal(refusal.detail.retryAfter, 1);
  leave(0);
  enter(rules)(0);
  assert.equal(
    refused(() => enter(rules)).message,
    'Limit reached: this key may make 2 requests a minute. Try again in 60 s.',
  );
});

test('A17: 150 tokens a request against 1,000: six enter, the seventh does not until the next minute', () => {
  const { enter, pass } = bench();
  pass(15_500);
  for (let request = 0; request < 6; request++) enter([key({ tokens: 1000 })], 150)(150);
  assert.equal(refused(() => enter([key({ tokens: 1000 })], 150)).detail.retryAfter, 45);
  pass(44_500);
  enter([key({ tokens: 1000 })], 150);
});

test('an estimate is corrected on leaving, once, and never in a window that has passed', () => {
  const { enter, pass } = bench();
  const rules = [key({ tokens: 1000 })];
  const leave = enter(rules, 900);
  leave(100);
  leave(0);
  const late = enter(rules, 900);
  refused(() => enter(rules, 1));
  pass(60_000);
  enter(rules, 500);
  late(0);
  refused(() => enter(rules, 501));
  enter(rules, 500);
});

test('more than a whole window allows is not worth a retry', () => {
  const { enter } = bench();
  const refusal = refused(() => enter([key({ tokens: 1000 })], 1001));
  assert.equal(refusal.refusal, 'too_large');
  assert.equal(refusal.retryable, false);
});

test('the longest wait is the one that is told', () => {
  const { enter } = bench();
  const rules = [key({ requests: 1 }), { scope: 'key:a', per: 'day', requests: 1 } as const];
  enter(rules);
  assert.equal(refused(() => enter(rules)).detail.retryAfter, 12 * 3600);
});

test('scopes that come from headers add limits of their own', () => {
  const { enter } = bench();
  const rules: readonly LimitRule[] = [{ scope: 'run:*', per: 'day', requests: 1 }];
  enter(rules, 0, ['run:x']);
  enter(rules, 0, ['run:y']);
  assert.equal(refused(() => enter(rules, 0, ['run:x'])).detail.facts?.scope, 'run:x');
});

test('a slot that nobody gave back is free again when its lease has run out', () => {
  const { enter, pass } = bench({ leaseMs: 1000 });
  const rules = [key({ concurrency: 1 })];
  enter(rules);
  pass(999);
  refused(() => enter(rules));
  pass(1);
  const leave = enter(rules);
  refused(() => enter(rules));
  leave(0);
  enter(rules);
});

test('a reload with new numbers keeps the counts', () => {
  const { enter } = bench();
  enter([key({ requests: 5 })]);
  refused(() => enter([key({ requests: 1 })]));
  enter([key({ requests: 2 })]);
});

test('a flood of names fills the table, shares one count from there, and lifts no limit', () => {
  const { enter, pass } = bench({ scopesMax: 10 });
  const rules: readonly LimitRule[] = [{ scope: 'run:*', per: 'minute', requests: 2 }];
  for (let run = 0; run < 10; run++) enter(rules, 0, [`run:${run}`])(0);
  enter(rules, 0, ['run:10'])(0);
  enter(rules, 0, ['run:11'])(0);
  refused(() => enter(rules, 0, ['run:12']));
  enter(rules, 0, ['run:3'])(0);
  refused(() => enter(rules, 0, ['run:3']));
  pass(60_000);
  for (let run = 20; run < 30; run++) enter(rules, 0, [`run:${run}`])(0);
});

test('a clock set back by seconds opens no new window', () => {
  const { enter, pass } = bench();
  const rules = [key({ requests: 1 })];
  enter(rules);
  pass(-5000);
  refused(() => enter(rules));
});

test('B10: what is refused by the limit of its target has used up nothing at all', () => {
  const { limit } = bench();
  const limits: readonly LimitRule[] = [
    key({ requests: 2, tokens: 100, concurrency: 2 }),
    { scope: 'provider:slow', per: 'minute', concurrency: 1 },
  ];
  const caller = { keyId: 'a', keyName: 'a', allowedModels: [], scopes: ['global', 'key:a'] };
  const first = limit.enter({ caller, limits, tokens: 50 });
  first.reach(['provider:slow', 'model:slow/x']);
  for (let count = 0; count < 3; count++) {
    const refusedOne = limit.enter({ caller, limits, tokens: 50 });
    assert.equal(refused(() => refusedOne.reach(['provider:slow'])).detail.facts?.scope, 'provider:slow');
    refusedOne.leave(50);
  }
  const second = limit.enter({ caller, limits, tokens: 50 });
  second.reach(['provider:fast']);
  refused(() => limit.enter({ caller, limits, tokens: 50 }));
  // On its way to another target a request keeps what it has, also where that one has no place for it.
  refused(() => second.reach(['provider:slow']));
  refused(() => limit.enter({ caller, limits, tokens: 0 }));
  first.leave(50);
  second.reach(['provider:slow']);
});

test("a team's keys share what they call a run; another team's run of that name is another", () => {
  const { limit } = bench();
  const limits: readonly LimitRule[] = [{ scope: 'run:*', per: 'minute', requests: 1 }];
  const enter = (id: string, team: string) =>
    limit.enter({
      caller: { keyId: id, keyName: id, allowedModels: [], scopes: ['global', `key:${id}`, `team:${team}`] },
      limits,
      tokens: 0,
      claims: [{ scope: 'run:nightly' }],
    });
  enter('a', 'search');
  assert.equal(
    refused(() => enter('b', 'search')).message.split('.')[0],
    'Limit reached: this run may make 1 requests a minute',
  );
  enter('c', 'ads');
});

test('an expected output never makes a request too large, a certain one does', () => {
  const { limit } = bench();
  const caller = { keyId: 'a', keyName: 'a', allowedModels: [], scopes: ['key:a'] };
  limit.enter({ caller, limits: [key({ tokens: 100 })], tokens: 300, least: 10 }).leave(60);
  refused(() => limit.enter({ caller, limits: [key({ tokens: 100 })], tokens: 300, least: 10 }));
  const tooLarge = refused(() => limit.enter({ caller, limits: [key({ tokens: 100 })], tokens: 300, least: 101 }));
  assert.equal(tooLarge.refusal, 'too_large');
});
