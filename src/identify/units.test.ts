import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '../../test/ledger.ts';
import type { KeyRecord, Unit } from '../exchange/caller.ts';
import { Refusal } from '../exchange/refusal.ts';
import { createIdentify } from './identify.ts';

const random = { bytes: (length: number) => Buffer.alloc(length, 1), fraction: () => 0 };
const unit = (scope: string, parent?: string, tier?: string): Unit => {
  const [kind, id] = scope.split(':') as [Unit['kind'], string];
  return {
    kind,
    id,
    name: id,
    createdAt: 0,
    ...(parent === undefined ? {} : { parent }),
    ...(tier === undefined ? {} : { tier }),
  };
};
const acme = [unit('org:acme'), unit('team:search', 'org:acme', 'gold'), unit('user:ann', 'team:search')];

function begin(units: readonly Unit[] = acme) {
  const identify = createIdentify(Buffer.alloc(32), manualClock(0), [], units);
  const made = identify.mint(random, { name: 'ann', owner: 'user:ann' });
  return { identify, ...made, who: () => identify.identify(made.key) };
}

function refusal(status: number, message: RegExp, run: () => unknown): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof Refusal, String(error));
    assert.equal(error.status, status);
    assert.match(error.message, message);
    return true;
  });
}

test("a key stands on its owner's whole chain, and takes the nearest tier", () => {
  const { who, record } = begin();
  assert.deepEqual(who().scopes, ['global', `key:${record.id}`, 'user:ann', 'team:search', 'org:acme']);
  assert.equal(who().tier, 'gold');
  assert.equal(who(), who(), 'the same object each time');
});

test('a caller is another one as soon as a unit above it changes, and the same one otherwise', () => {
  const { identify, who, record } = begin();
  const before = who();
  identify.addUnit(unit('team:ads', 'org:acme'));
  assert.equal(who(), before);
  identify.addUnit(unit('user:ann', 'team:ads'));
  assert.notEqual(who(), before);
  assert.deepEqual(who().scopes, ['global', `key:${record.id}`, 'user:ann', 'team:ads', 'org:acme']);
  identify.add({ ...record, owner: 'org:acme', tier: 'silver' });
  assert.deepEqual([who().scopes.at(-1), who().tier], ['org:acme', 'silver']);
});

test('units that cannot be are refused', () => {
  const { identify } = begin();
  const table: [Unit, RegExp][] = [
    [unit('org:acme', 'team:search'), /circle/],
    [unit('team:search', 'team:search'), /circle/],
    [unit('team:search', 'user:ann'), /circle/],
    [unit('org:other', 'org:acme'), /An org stands under nothing/],
    [unit('user:bob', 'service:ci'), /A user stands under team:ID or org:ID/],
    [unit('team:x', 'org:nobody'), /There is no unit org:nobody/],
    [unit('team:a/b'), /cannot be the id of a team/],
    [unit('team:*'), /cannot be the id of a team/],
  ];
  for (const [wrong, message] of table) refusal(400, message, () => identify.addUnit(wrong));
  assert.equal(identify.units().length, 3);
  identify.addUnit(unit('service:ci@acme.com', 'team:search'));
});

test('a unit goes only when nothing stands under it', () => {
  const { identify, record } = begin();
  refusal(409, /user:ann stands under team:search/, () => identify.removeUnit('team:search'));
  refusal(409, /The key k\w+ \(ann\) belongs to user:ann/, () => identify.removeUnit('user:ann'));
  identify.revoke(record.id, 5);
  assert.equal(identify.removeUnit('user:ann')?.id, 'ann');
  assert.equal(identify.removeUnit('team:search')?.id, 'search');
  assert.equal(identify.removeUnit('team:search'), undefined);
});

test('what a store has wrong lifts no limit and hangs nobody: a circle ends, an unknown owner stands for itself', () => {
  const circle = begin([unit('team:a', 'org:b'), unit('org:b', 'team:a'), unit('user:ann', 'team:a')]);
  assert.deepEqual(circle.who().scopes.slice(2), ['user:ann', 'team:a', 'org:b']);
  assert.deepEqual(begin([]).who().scopes.slice(2), ['user:ann']);
});

test('what another instance changed is taken over; a revocation here is not taken back', () => {
  const { identify, who, record, key } = begin();
  const same = who();
  identify.renew(acme, [record]);
  assert.equal(who(), same);
  const other: KeyRecord = { ...record, id: 'other', hash: 'ff', owner: 'team:search' };
  identify.renew([...acme.slice(0, 2), unit('user:ann', 'org:acme')], [record, other]);
  assert.deepEqual(who().scopes.slice(2), ['user:ann', 'org:acme']);
  assert.equal(identify.list().length, 2);
  identify.revoke(record.id, 5);
  identify.renew(acme, [record]);
  assert.throws(() => identify.identify(key), /revoked/);
});
