import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { KeyRecord } from '../exchange/caller.ts';
import type { Signal } from '../exchange/signal.ts';
import { followKnown, type KnownOptions } from './known.ts';

const key: KeyRecord = { id: 'k1', name: 'ci', hash: 'aa', hint: '', allowedModels: [], createdAt: 1 };
const secret = Buffer.from('a secret');

/** A store whose answers the test gives when it likes. */
function hand() {
  const state = { keys: [key] as KeyRecord[], away: false, revision: 0 as number | undefined, held: Promise.resolve() };
  const listeners: ((signal: Signal) => void)[] = [];
  const answer = async <Value>(value: () => Value): Promise<Value> => {
    const now = value();
    await state.held;
    if (state.away) throw new Error('away');
    return now;
  };
  const store: KnownOptions['store'] = {
    keys: () => answer(() => state.keys),
    units: () => answer(() => []),
    budgets: () => answer(() => []),
    revision: () => state.revision,
    trouble: () => (state.away ? 'away' : undefined),
    signals: { send: async () => undefined, listen: (listener) => void listeners.push(listener) },
  };
  const changed = (): void => {
    for (const listener of listeners) listener({ kind: 'changed', what: 'keys' });
  };
  return { state, store, changed };
}

function place(context: TestContext): KnownOptions & ReturnType<typeof hand> {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-known-'));
  context.after(() => rmSync(folder, { recursive: true }));
  return { ...hand(), copy: join(folder, 'known.json'), secret, onTrouble: assert.fail };
}

test('the copy serves while the store is away, for its owner alone, and only as it was written', async (context) => {
  const at = place(context);
  const first = await followKnown(at);
  assert.equal(first.sure(), true);
  await first.close();
  const copy = at.copy ?? '';
  assert.equal(statSync(copy).mode & 0o777, 0o600);
  at.state.away = true;
  const second = await followKnown(at);
  assert.deepEqual(second.current().keys, [key]);
  assert.equal(second.sure(), false);
  await second.close();
  await assert.rejects(followKnown({ ...at, secret: Buffer.from('another') }), /not written by this installation/);
  writeFileSync(copy, readFileSync(copy, 'utf8').replace('"aa"', '"bb"'));
  await assert.rejects(followKnown(at), /not written by this installation/);
});

test('A19: a reading that began before a change was saved does not bring the old record back', async (context) => {
  const at = place(context);
  const known = await followKnown(at);
  const heard: (number | undefined)[] = [];
  known.listen(({ keys }) => heard.push(keys[0]?.revokedAt));
  const gate = Promise.withResolvers<void>();
  at.state.held = gate.promise;
  const other = { ...key, id: 'k2', hash: 'cc' };
  at.state.keys = [key, other];
  // Another made a key; the reading that this asks for has the old record of k1 in its hands while k1 is revoked here.
  at.changed();
  at.state.revision = undefined;
  at.state.keys = [{ ...key, revokedAt: 5 }, other];
  gate.resolve();
  at.state.held = Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(heard, []);
  at.state.revision = 1;
  at.changed();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(heard, [5]);
  await known.close();
});
