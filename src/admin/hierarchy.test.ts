import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '../../test/ledger.ts';
import type { BudgetRecord, KeyRecord, Unit } from '../exchange/caller.ts';
import type { BudgetRule } from '../exchange/policy.ts';
import { Refusal } from '../exchange/refusal.ts';
import { createIdentify } from '../identify/identify.ts';
import { createLiveBudgets } from '../live.ts';
import { askAdmin } from './admin.ts';
import type { AdminParts } from './parts.ts';

const noon = Date.parse('2026-06-01T12:00:00Z');
const declared: readonly BudgetRule[] = [
  { scope: 'global', limit: 5_000_000_000, per: 'month', timezone: 'UTC', alertAt: [] },
];

function begin() {
  const clock = manualClock(noon);
  let byte = 0;
  const random = { bytes: (length: number) => Buffer.alloc(length, ++byte), fraction: () => 0 };
  const identify = createIdentify(Buffer.alloc(32), clock, []);
  const budgets = createLiveBudgets(() => declared, clock.now, []);
  const stored = {
    keys: [] as KeyRecord[],
    units: [] as Unit[],
    budgets: [] as BudgetRecord[],
    removed: [] as string[],
  };
  let full = false;
  const keep = async (run: () => unknown): Promise<void> => {
    if (full) throw new Error('disk full');
    run();
  };
  const parts = {
    identify,
    budgets,
    clock,
    random,
    log: { info: () => undefined, error: () => undefined },
    balances: () => [],
    store: {
      saveKey: (record: KeyRecord) => keep(() => stored.keys.push(record)),
      saveUnit: (unit: Unit) => keep(() => stored.units.push(unit)),
      removeUnit: (unit: Unit) => keep(() => stored.removed.push(`${unit.kind}:${unit.id}`)),
      saveBudget: (record: BudgetRecord) => keep(() => stored.budgets.push(record)),
      removeBudget: (id: string) => keep(() => stored.removed.push(id)),
    },
  } as unknown as AdminParts;
  const ask = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> =>
    (await askAdmin(parts, method, path, body)) as Record<string, unknown>;
  return { ask, identify, budgets, stored, clock, fill: (yes: boolean) => (full = yes) };
}

async function refused(status: number, message: RegExp, asked: Promise<unknown>): Promise<void> {
  await assert.rejects(asked, (error) => {
    assert.ok(error instanceof Refusal, String(error));
    assert.equal(error.status, status, error.message);
    assert.match(error.message, message);
    return true;
  });
}

test('units are made, moved and removed; a key stands on the chain of its owner', async () => {
  const { ask, identify, stored } = begin();
  await ask('POST', '/admin/units', { kind: 'org', id: 'acme' });
  await ask('POST', '/admin/units', { kind: 'team', id: 'search', parent: 'org:acme', tier: 'gold' });
  const user = await ask('POST', '/admin/units', { kind: 'user', id: 'ann@acme.com', parent: 'team:search' });
  assert.equal(user.scope, 'user:ann@acme.com');
  await refused(409, /already/, ask('POST', '/admin/units', { kind: 'org', id: 'acme' }));
  await refused(409, /named "acme" already/, ask('POST', '/admin/units', { kind: 'org', id: 'b', name: 'acme' }));
  await refused(400, /circle/, ask('PATCH', '/admin/units/org:acme', { parent: 'team:search' }));
  await refused(400, /no unit org:none/, ask('POST', '/admin/units', { kind: 'team', id: 'x', parent: 'org:none' }));

  const made = await ask('POST', '/admin/keys', {
    name: 'ann',
    owner: 'user:ann@acme.com',
    claims: { forbid: ['run'], pin: { end_user: 'ann', tag: { team: 'a' } } },
  });
  const caller = identify.identify(String(made.key));
  assert.deepEqual(caller.scopes, ['global', `key:${made.id}`, 'user:ann@acme.com', 'team:search', 'org:acme']);
  assert.deepEqual(caller.claims, { forbid: ['run'], pin: { end_user: 'ann', tag: { team: 'a' } } });
  assert.equal(caller.tier, 'gold');
  await refused(400, /no unit "team:none"/, ask('POST', '/admin/keys', { name: 'x', owner: 'team:none' }));
  await refused(400, /claims.forbid/, ask('POST', '/admin/keys', { name: 'x', claims: { forbid: ['tags'] } }));

  const { data } = (await ask('GET', '/admin/units')) as unknown as { data: { scope: string; keys: number }[] };
  assert.deepEqual(
    data.map(({ scope, keys }) => [scope, keys]),
    [
      ['org:acme', 0],
      ['team:search', 0],
      ['user:ann@acme.com', 1],
    ],
  );
  await refused(409, /stands under team:search/, ask('DELETE', '/admin/units/team:search'));
  await refused(409, /belongs to user:ann/, ask('DELETE', '/admin/units/user:ann%40acme.com'));
  assert.equal((await ask('PATCH', `/admin/keys/${made.id}`, { owner: null, claims: null })).owner, null);
  assert.deepEqual(identify.identify(String(made.key)).scopes, ['global', `key:${made.id}`]);
  await ask('DELETE', '/admin/units/user:ann@acme.com');
  await ask('PATCH', '/admin/units/team:search', { parent: null, tier: null, name: 'Search' });
  assert.deepEqual(stored.units.at(-1), { kind: 'team', id: 'search', name: 'Search', createdAt: noon });
  assert.deepEqual(stored.removed, ['user:ann@acme.com']);
});

test('a budget is made, raised for a while, lowered and removed; the file stays as it is', async () => {
  const { ask, budgets, stored, clock } = begin();
  const made = await ask('POST', '/admin/budgets', { scope: 'team:search', limit: '2 USD', per: 'day' });
  const path = `/admin/budgets/${made.id}`;
  const limit = (): number | undefined => budgets.rules().find(({ scope }) => scope === 'team:search')?.limit;
  assert.deepEqual([made.source, made.limit, made.raise, limit()], ['api', '2 USD', null, 2_000_000_000]);
  assert.equal(budgets.rules(), budgets.rules(), 'the same array until something changes');

  const before = budgets.rules();
  const until = new Date(noon + 3_600_000).toISOString();
  assert.deepEqual((await ask('PATCH', path, { raise: { limit: 9, until } })).raise, { limit: '9 USD', until });
  assert.equal(limit(), 9_000_000_000);
  assert.notEqual(budgets.rules(), before);
  clock.set(noon + 3_599_999);
  assert.equal(limit(), 9_000_000_000);
  clock.set(noon + 3_600_000);
  assert.equal(limit(), 2_000_000_000, 'it ends by itself');
  assert.equal((await ask('GET', path)).raise, null);

  await ask('PATCH', path, { limit: 0, soft: true, alert_at: ['50%'], on_exhausted: 'finish' });
  assert.deepEqual(budgets.rules().at(-1), {
    scope: 'team:search',
    limit: 0,
    per: 'day',
    timezone: 'UTC',
    alertAt: [0.5],
    soft: true,
    onExhausted: 'finish',
  });
  assert.equal(stored.budgets.at(-1)?.raise, undefined);
  await ask('DELETE', path);
  assert.deepEqual(budgets.rules(), declared);
  assert.deepEqual(stored.removed, [made.id]);
});

test('what cannot be is refused, and a budget that cannot be stored does not stay', async () => {
  const { ask, budgets, fill } = begin();
  const { budgets: listed } = (await ask('GET', '/admin/budgets')) as unknown as { budgets: { id: string }[] };
  const file = `/admin/budgets/${listed[0]?.id}`;
  assert.equal((await ask('GET', file)).source, 'file');
  await refused(409, /declared in the configuration file; change it there/, ask('PATCH', file, { limit: 1 }));
  await refused(409, /declared in the configuration file/, ask('DELETE', file));
  const wanted = { scope: 'team:a', limit: 1, per: 'day' };
  await ask('POST', '/admin/budgets', wanted);
  const table: [number, RegExp, Record<string, unknown>][] = [
    [409, /declared in the configuration file/, { scope: 'global', limit: 1, per: 'month' }],
    [409, /is there already \(b/, wanted],
    [409, /is there already/, { ...wanted, timezone: 'UTC' }],
    [400, /limit: must be an amount such as .* at most 9007199 USD/, { ...wanted, limit: 9_007_200 }],
    [400, /scope: unknown kind of scope/, { ...wanted, scope: 'tema:a' }],
    [400, /scope: must be team:NAME/, { ...wanted, scope: 'team:' }],
    [400, /timezone: must be an IANA zone/, { ...wanted, timezone: 'Mars/One' }],
    [400, /per/, { ...wanted, per: 'year' }],
    [
      400,
      /raise.until lies in the past/,
      { ...wanted, per: 'week', raise: { limit: 2, until: '2020-01-01T00:00:00Z' } },
    ],
    [400, /raise.limit must be above/, { ...wanted, per: 'week', raise: { limit: 1, until: '2027-01-01T00:00:00Z' } }],
  ];
  for (const [status, message, body] of table) await refused(status, message, ask('POST', '/admin/budgets', body));
  await refused(404, /no budget/, ask('GET', '/admin/budgets/none'));
  await ask('POST', '/admin/budgets', { ...wanted, timezone: 'Europe/Berlin' });
  assert.equal(budgets.rules().length, 3);

  fill(true);
  await assert.rejects(ask('POST', '/admin/budgets', { ...wanted, per: 'week' }), /disk full/);
  const { id } = budgets.records()[0] ?? {};
  await assert.rejects(ask('PATCH', `/admin/budgets/${id}`, { limit: 7 }), /disk full/);
  await assert.rejects(ask('POST', '/admin/units', { kind: 'org', id: 'x' }), /disk full/);
  assert.deepEqual(
    budgets.rules().map(({ limit }) => limit),
    [5_000_000_000, 1_000_000_000, 1_000_000_000],
  );
  assert.deepEqual((await ask('GET', '/admin/units')).data, []);
});
