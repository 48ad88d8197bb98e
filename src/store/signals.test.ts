import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Client } from 'pg';
import { createTestDatabase } from '../../test/postgres.ts';
import type { Signal } from '../exchange/signal.ts';
import { openPostgres } from './postgres.ts';
import { writeSignal } from './signals.ts';
import { openStore, type Store } from './store.ts';

interface Ear {
  readonly store: Store;
  readonly heard: Signal[];
  /** Resolves with the first signal that fits, heard already or yet to come. */
  until(fits: (signal: Signal) => boolean): Promise<Signal>;
}

async function open(context: TestContext, url: string, instance: string): Promise<Ear> {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-signals-'));
  const store = await openStore({ storage: { kind: 'postgres', url }, journalFolder: folder, instance });
  context.after(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });
  const heard: Signal[] = [];
  const waiting: { fits: (signal: Signal) => boolean; resolve: (signal: Signal) => void }[] = [];
  store.signals.listen((signal) => {
    heard.push(signal);
    for (const { fits, resolve } of waiting) if (fits(signal)) resolve(signal);
  });
  return {
    store,
    heard,
    until: (fits) =>
      new Promise((resolve) => {
        const known = heard.find(fits);
        if (known) resolve(known);
        else waiting.push({ fits, resolve });
      }),
  };
}

async function database(context: TestContext): Promise<{ url: string; sql: Client }> {
  const { url, close } = await createTestDatabase();
  const sql = new Client({ connectionString: url });
  await sql.connect();
  sql.on('error', () => undefined);
  context.after(async () => {
    await sql.end();
    await close();
  });
  return { url, sql };
}

const isKill = (id: string) => (signal: Signal) => signal.kind === 'kill' && signal.id === id;
const isChanged = (what: string) => (signal: Signal) => signal.kind === 'changed' && signal.what === what;

test('a kill reaches every instance, the own one at once, each once', async (context) => {
  const { url } = await database(context);
  const [one, other] = [await open(context, url, 'i1'), await open(context, url, 'i2')];
  const sent = one.store.signals.send({ kind: 'kill', what: 'run', id: 'nightly' });
  assert.deepEqual(one.heard, [{ kind: 'kill', what: 'run', id: 'nightly' }]);
  await sent;
  await other.until(isKill('nightly'));
  await other.store.signals.send({ kind: 'kill', what: 'key', id: 'last' });
  await one.until(isKill('last'));
  assert.equal(one.heard.length, 2);
  assert.equal(other.heard.length, 2);
});

test('an instance whose clock runs ahead forgets nothing that the others have yet to hear', async (context) => {
  const { url, sql } = await database(context);
  await open(context, url, 'i1');
  const ahead = openPostgres(url);
  context.after(() => ahead.close());
  context.mock.method(Date, 'now', () => 4_102_444_800_000);
  for (const id of ['one', 'two', 'three'])
    await ahead.transaction((session) => writeSignal(session, 'ahead', { kind: 'kill', what: 'run', id }));
  const { rows } = await sql.query('SELECT at FROM tollgate.signals WHERE at < $1', [4_102_444_800_000]);
  assert.equal(rows.length, 3);
  await sql.query('UPDATE tollgate.signals SET at = at - 600001');
  await ahead.transaction((session) => writeSignal(session, 'ahead', { kind: 'kill', what: 'run', id: 'four' }));
  assert.equal((await sql.query('SELECT 1 FROM tollgate.signals')).rows.length, 1, 'ten minutes are enough');
});

test('what one instance saves, the others read again; what it could not save, they hear nothing of', async (context) => {
  const { url } = await database(context);
  const [one, other] = [await open(context, url, 'i1'), await open(context, url, 'i2')];
  const key = { id: 'k1', name: 'ci', hash: 'aa', hint: '', allowedModels: [], createdAt: 1 };
  await one.store.saveKey(key);
  await other.until(isChanged('keys'));
  assert.deepEqual(await other.store.keys(), [key]);
  await assert.rejects(one.store.saveKey({ ...key, id: 'k2' }));
  await one.store.saveUnit({ kind: 'org', id: 'acme', name: 'Acme', createdAt: 1 });
  await other.until(isChanged('units'));
  await one.store.removeBudget('nobody');
  await one.store.saveBudget({
    id: 'b1',
    scope: 'org:acme',
    limit: 1,
    per: 'day',
    timezone: 'UTC',
    alertAt: [],
    createdAt: 1,
  });
  await other.until(isChanged('budgets'));
  assert.deepEqual(
    other.heard.map((signal) => signal.kind === 'changed' && signal.what),
    ['keys', 'units', 'budgets'],
  );
});

test('signals whose announcement was lost are found all the same', async (context) => {
  const { url, sql } = await database(context);
  const one = await open(context, url, 'i1');
  for (const number of [1, 2, 3]) {
    const kill = JSON.stringify({ kind: 'kill', what: 'key', id: `k${number}` });
    await sql.query("INSERT INTO tollgate.signals VALUES ($1, 0, 'somebody', $2)", [number, kill]);
    await one.until(isKill(`k${number}`));
  }
});

test('a broken connection is made again, and what was said meanwhile is heard', async (context) => {
  const { url, sql } = await database(context);
  const [one, other] = [await open(context, url, 'i1'), await open(context, url, 'i2')];
  for (let round = 0; round < 5; round++) {
    await sql.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tollgate signals'`,
    );
    await one.store.signals.send({ kind: 'kill', what: 'request', id: `r${round}` });
    await other.until(isKill(`r${round}`));
  }
  assert.equal(other.heard.filter(({ kind }) => kind === 'kill').length, 5);
});

test('whoever was cut off reads everything again, and hears what is still kept', async (context) => {
  const { url, sql } = await database(context);
  const one = await open(context, url, 'i1');
  await sql.query(`INSERT INTO tollgate.signals VALUES (1, 0, 'somebody', '{"kind":"kill","what":"key","id":"k1"}')`);
  await one.until(isKill('k1'));
  await sql.query('BEGIN');
  await sql.query('DELETE FROM tollgate.signals');
  await sql.query(`INSERT INTO tollgate.signals VALUES (7, 0, 'somebody', '{"kind":"kill","what":"key","id":"k7"}')`);
  await sql.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tollgate signals'`);
  await sql.query('COMMIT');
  await Promise.all(['keys', 'units', 'budgets'].map((what) => one.until(isChanged(what))));
  await one.until(isKill('k7'));
});
