// Every kind of scope blocks alone, over the socket, and names what belongs to the caller.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask, type Bench, exhaust, refusalOf, startBench } from './kit.ts';

let bench: Bench;
let ann: { id: string; key: string };
let ci: { id: string; key: string };
let other: { id: string; key: string };

before(async () => {
  bench = await startBench();
  const unit = (kind: string, id: string, parent?: string) => bench.admin('POST', '/admin/units', { kind, id, parent });
  await unit('org', 'acme');
  await unit('team', 'search', 'org:acme');
  await unit('user', 'ann@acme.com', 'team:search');
  await unit('service', 'ci@acme.com', 'team:search');
  await unit('org', 'other');
  await unit('team', 'ads', 'org:other');
  ann = await bench.key({ name: 'ann', owner: 'user:ann@acme.com' });
  ci = await bench.key({ name: 'ci', owner: 'service:ci@acme.com' });
  other = await bench.key({ name: 'other', owner: 'team:ads' });
});
after(() => bench.close());

const claims = {
  headers: { 'x-tollgate-run': 'nightly', 'x-tollgate-tags': 'feature=search' },
  body: { user: 'zoe' },
};

test('A11: exhaust each of the eleven kinds of scope alone: all block, and the message names it', async () => {
  const kinds: [scope: string, who: () => string][] = [
    ['global', () => ann.key],
    ['org:acme', () => ann.key],
    ['team:search', () => ann.key],
    ['user:ann@acme.com', () => ann.key],
    ['service:ci@acme.com', () => ci.key],
    [`key:${ann.id}`, () => ann.key],
    ['end_user:zoe', () => ann.key],
    ['tag:feature=search', () => ann.key],
    ['run:nightly', () => ann.key],
    ['model:chat/ok', () => ann.key],
    ['provider:chat', () => ann.key],
  ];
  assert.equal(new Set(kinds.map(([scope]) => scope.split(':')[0])).size, 11);
  for (const [scope, who] of kinds) {
    const made = await bench.admin('POST', '/admin/budgets', { scope, limit: '0.0002 USD', per: 'lifetime' });
    const called = bench.upstream.calls.length;
    const { served, refused } = await exhaust(bench, who(), claims);
    assert.ok(served > 0 && served < 11, `${scope} let ${served} pass`);
    assert.equal(refused.code, 'budget_exceeded');
    assert.equal(refused.tollgate.scope, scope);
    assert.ok(refused.message.includes(scope), refused.message);
    assert.equal(bench.upstream.calls.length - called, served, 'what was refused reached nobody');
    if (!/^(global|model|provider)/.test(scope)) {
      assert.equal((await ask(bench, other.key, claims)).status, 200, `${scope} is nothing to another organisation`);
    }
    await bench.admin('DELETE', `/admin/budgets/${made.id}`);
    assert.equal((await ask(bench, who(), claims)).status, 200, `${scope} is gone`);
  }
});

test('the default of an unseen run, tag or end user holds for each one, under its team', async () => {
  for (const [scope, more] of [
    ['run:*', { headers: { 'x-tollgate-run': 'r1' } }],
    ['tag:job=*', { headers: { 'x-tollgate-tags': 'job=j1' } }],
    ['end_user:*', { body: { safety_identifier: 'u1' } }],
  ] as const) {
    const made = await bench.admin('POST', '/admin/budgets', { scope, limit: '0.0001 USD', per: 'day' });
    assert.ok((await exhaust(bench, ann.key, more)).served > 0, scope);
    assert.equal((await ask(bench, ci.key, more)).status, 402, 'a key of the same team spends from the same');
    assert.equal((await ask(bench, other.key, more)).status, 200, 'another team has its own');
    assert.equal((await ask(bench, ann.key)).status, 200, 'who names none is not limited by it');
    await bench.admin('DELETE', `/admin/budgets/${made.id}`);
  }
});

test('A2: eight first requests at once of an unknown end user whose default is 1 nano-USD call nobody', async () => {
  const made = await bench.admin('POST', '/admin/budgets', {
    scope: 'end_user:*',
    limit: '0.000000001 USD',
    per: 'lifetime',
  });
  const called = bench.upstream.calls.length;
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => ask(bench, ann.key, { body: { user: 'never-seen' } })),
  );
  assert.deepEqual(
    answers.map(({ status }) => status),
    new Array(8).fill(402),
  );
  assert.equal(bench.upstream.calls.length, called);
  await bench.admin('DELETE', `/admin/budgets/${made.id}`);
});

test('a key pins and forbids names; malformed ones are refused; all of them are in the record', async () => {
  const pinned = await bench.key({ name: 'pinned', claims: { forbid: ['run'], pin: { end_user: 'ann' } } });
  const forbidden = await refusalOf(await ask(bench, pinned.key, { headers: { 'x-tollgate-run': 'r' } }), 403);
  assert.equal(forbidden.code, 'not_allowed');
  const made = await bench.admin('POST', '/admin/budgets', { scope: 'end_user:ann', limit: 0, per: 'day' });
  assert.equal((await refusalOf(await ask(bench, pinned.key), 402)).tollgate.scope, 'end_user:ann');
  assert.equal((await ask(bench, pinned.key, { body: { user: 'bob' } })).status, 402, 'it cannot call itself another');
  await bench.admin('DELETE', `/admin/budgets/${made.id}`);
  for (const more of [
    { headers: { 'x-tollgate-run': 'x'.repeat(300) } },
    { headers: { 'x-tollgate-tags': 'no name' } },
    { headers: { 'x-tollgate-tags': 'feature:search' } },
    { body: { user: 'two\nlines' } },
  ])
    assert.equal((await refusalOf(await ask(bench, ann.key, more), 400)).code, 'invalid_request');

  const headers = { ...claims.headers, 'x-tollgate-agent': 'coder', 'x-tollgate-parent': 'req-1' };
  const answer = await ask(bench, ann.key, { ...claims, headers });
  const receipt = await bench.admin('GET', `/admin/requests/${answer.headers.get('x-tollgate-request-id')}`);
  assert.deepEqual(receipt.tags, {
    feature: 'search',
    agent: 'coder',
    parent: 'req-1',
    run: 'nightly',
    end_user: 'zoe',
  });
  assert.deepEqual(receipt.scopes, ['global', `key:${ann.id}`, 'user:ann@acme.com', 'team:search', 'org:acme']);
});

test('GET /v1/budget tells a key of itself and of what it claims, and nothing of its team', async () => {
  const made = await Promise.all(
    [
      { scope: 'team:search', limit: '7 USD', per: 'day' },
      { scope: 'run:*', limit: '1 USD', per: 'lifetime' },
      { scope: 'key:*', limit: '2 USD', per: 'day' },
      { scope: `key:${ann.id}`, limit: '3 USD', per: 'month', soft: true },
    ].map((wants) => bench.admin('POST', '/admin/budgets', wants)),
  );
  const headers = { 'x-tollgate-run': 'budget-run' };
  const answer = await ask(bench, ann.key, { headers });
  assert.equal(answer.status, 200);
  const read = async (key: string): Promise<Record<string, unknown>> =>
    (await (
      await fetch(`${bench.gateway.url}/v1/budget`, { headers: { authorization: `Bearer ${key}`, ...headers } })
    ).json()) as Record<string, unknown>;
  const mine = await read(ann.key);
  const budgets = mine.budgets as Record<string, unknown>[];
  assert.deepEqual(
    budgets.map(({ scope, per, limit_usd }) => [scope, per, limit_usd]),
    [
      [`key:${ann.id}`, 'day', 2],
      ['run:budget-run', 'lifetime', 1],
    ],
  );
  assert.equal(budgets[1]?.posted_usd, 0.000019);
  assert.equal(budgets[1]?.remaining_usd, 0.999981);
  assert.equal(budgets[1]?.held_usd, 0);
  assert.deepEqual([mine.limited, mine.scope, mine.limit_usd], [true, 'run:budget-run', 1]);
  assert.ok(!JSON.stringify(mine).includes('team:search'));
  assert.equal(
    ((await read(other.key)).budgets as { posted_usd: number }[])[1]?.posted_usd,
    0,
    'another run of that name',
  );
  const metrics = await (await bench.adminRaw('GET', '/metrics')).text();
  assert.match(metrics, /^llm_proxy_budget_remaining\{scope="team:search"\} 6\.\d+$/m);
  assert.ok(!metrics.includes('budget-run'), 'what clients name is no label');
  for (const { id } of made) await bench.admin('DELETE', `/admin/budgets/${id}`);
});
