// The bank in PostgreSQL when PostgreSQL is away, loses its memory, or has too few connections.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { createPostgresBank, type PostgresBankOptions } from '../../src/bank/postgres.ts';
import { type Bank, EnterFirst } from '../../src/exchange/bank.ts';
import { createTestDatabase, startPostgres, type TestDatabase } from '../postgres.ts';
import { want } from './kit.ts';
import { type Member, member, memberOf, unique } from './member.ts';

const dollar = 1_000_000_000;
const cent = dollar / 100;

async function sql(url: string, ...statements: string[]): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    let rows: unknown[] = [];
    for (const statement of statements) rows = (await client.query(statement)).rows;
    return rows;
  } finally {
    await client.end();
  }
}

/** Asks until it is not refused for the server's or the settling's sake; enters where it is told to. */
async function insist<Answer>(
  asking: Member,
  attempt: () => Promise<Answer>,
  entry: Parameters<Bank['enter']>[1],
): Promise<Answer> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof EnterFirst) await asking.enter(...entry).catch(() => undefined);
      else await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

describe('PostgreSQL', () => {
  let database: TestDatabase;
  const banks: Bank[] = [];
  const open = (options: Partial<PostgresBankOptions> = {}): Bank => {
    const bank = createPostgresBank({ url: database.url, ...options });
    banks.push(bank);
    return bank;
  };
  before(async () => {
    database = await createTestDatabase();
  });
  after(async () => {
    await Promise.all(banks.map((bank) => bank.close()));
    await database.close();
  });

  test('ten instances start at once on an empty database', async () => {
    const fresh = await createTestDatabase();
    const ten = Array.from({ length: 10 }, () => createPostgresBank({ url: fresh.url }));
    try {
      const all = await Promise.all(ten.map((bank) => member(bank)));
      const { instances } = await (all[0] ?? assert.fail()).ask();
      assert.equal(instances, 10);
    } finally {
      await Promise.all(ten.map((bank) => bank.close()));
      await fresh.close();
    }
  });

  test('tables of a newer version are left alone', async () => {
    const fresh = await createTestDatabase();
    await sql(fresh.url, 'CREATE SCHEMA tollgate', 'CREATE TABLE tollgate.bank_migrations AS SELECT 999 AS number');
    const bank = createPostgresBank({ url: fresh.url });
    try {
      await assert.rejects(bank.enter('a', []), /schema 999/);
    } finally {
      await bank.close();
      await fresh.close();
    }
  });

  test('a server that crashes: calls are refused, and go on where they were once it is back', async () => {
    const server = await startPostgres();
    const [one, two] = [createPostgresBank({ url: server.url }), createPostgresBank({ url: server.url })];
    try {
      const [rich, poor] = [await member(one), await member(two)];
      await rich.askOne('key:a', { need: 60 * cent });
      await server.crash();
      await assert.rejects(rich.askOne('key:a', { have: 60 * cent, need: cent }));
      await assert.rejects(rich.askOne('key:a', { have: 60 * cent, need: cent }));
      await server.start();
      const slice = await insist(poor, () => poor.askOne('key:a', { need: dollar }), []);
      assert.equal(slice.have, 40 * cent);
      // The listening connection is made again as well: a recall arrives.
      const recalled = rich.nextRecall('key:a');
      const scarce = () => poor.askOne('key:a', { have: 40 * cent, need: cent });
      assert.equal((await insist(poor, scarce, [])).recalling, true);
      await recalled;
      await insist(rich, () => rich.askOne('key:a', { have: 10 * cent, posted: 10 * cent }), []);
      assert.equal((await scarce()).have, 41 * cent);
    } finally {
      await Promise.all([one.close(), two.close()]);
      await server.close();
    }
  });

  test('a listening connection that was broken does not cost the recall', async () => {
    const [rich, poor] = [await member(open()), await member(open())];
    const scope = unique('key');
    await rich.askOne(scope, { need: dollar });
    await sql(
      database.url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name LIKE '%recalls' AND datname = current_database()`,
    );
    const recalled = rich.nextRecall(scope);
    assert.equal((await poor.askOne(scope, { need: 1 })).recalling, true);
    assert.equal((await recalled).scope, scope);
  });

  test('connections broken at random: no call is half done, no money is lost or made', async () => {
    const writers = await Promise.all([0, 1, 2].map(() => member(open())));
    const scopes = Array.from({ length: 20 }, () => unique('key'));
    let running = true;
    const breaking = (async () => {
      while (running) {
        await sql(
          database.url,
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name = 'tollgate bank' AND datname = current_database() AND random() < 0.5`,
        );
      }
    })();
    const spent = await Promise.all(
      writers.map(async (writer) => {
        const have = scopes.map(() => 0);
        for (let round = 0; round < 60; round += 1) {
          const wants = scopes.map((scope, index) =>
            want(scope, { have: have[index] ?? 0, posted: have[index] ?? 0, need: cent }),
          );
          const answer = await writer.ask(...wants).catch(() => undefined);
          for (const [index, slice] of (answer?.slices ?? []).entries()) have[index] = slice.have;
        }
        return have;
      }),
    );
    running = false;
    await breaking;
    const last = await Promise.all(
      writers.map((writer, each) =>
        insist(
          writer,
          () =>
            writer.ask(
              ...scopes.map((scope, index) =>
                want(scope, {
                  have: spent[each]?.[index] ?? 0,
                  posted: spent[each]?.[index] ?? 0,
                }),
              ),
            ),
          [],
        ),
      ),
    );
    assert.ok(last.length === 3);
    const reader = await member(open());
    const { slices } = await reader.ask(...scopes.map((scope) => want(scope)));
    for (const [index, slice] of slices.entries()) {
      const total = spent.reduce((sum, have) => sum + (have[index] ?? 0), 0);
      assert.ok(total <= dollar);
      assert.deepEqual([slice.posted, slice.available], [total, dollar - total]);
    }
  });

  /** The state of the bank's tables, put back as an operator would from an old dump. */
  const copy = ['CREATE SCHEMA saved'].concat(
    ['state', 'instances', 'purses', 'slices'].map(
      (name) => `CREATE TABLE saved.${name} AS TABLE tollgate.bank_${name}`,
    ),
  );
  const restore = [
    'TRUNCATE tollgate.bank_slices, tollgate.bank_purses, tollgate.bank_instances, tollgate.bank_state',
  ].concat(
    ['state', 'instances', 'purses', 'slices'].map(
      (name) => `INSERT INTO tollgate.bank_${name} OVERRIDING SYSTEM VALUE TABLE saved.${name}`,
    ),
  );
  const memoryLost: [title: string, statements: string[]][] = [
    [
      'A5: the tables are emptied in the middle of a window: nothing is given until they are filled again from the instances',
      ['TRUNCATE tollgate.bank_slices, tollgate.bank_purses, tollgate.bank_instances'],
    ],
    ['A6: an old copy is restored: its amounts are not believed', restore],
  ];
  for (const [title, statements] of memoryLost) {
    test(title, async () => {
      const fresh = await createTestDatabase();
      const troubles: string[] = [];
      const options = {
        url: fresh.url,
        rules: { settlesMs: 500 },
        onTrouble: (message: string) => void troubles.push(message),
      };
      const [one, two] = [createPostgresBank(options), createPostgresBank(options)];
      try {
        const [a, b] = [await member(one), await member(two)];
        await a.askOne('key:a', { limit: 10 * dollar, need: 5 * dollar });
        await b.askOne('key:a', { limit: 10 * dollar });
        await sql(fresh.url, ...copy);
        const spent = { limit: 10 * dollar, have: 10 * dollar, posted: 10 * dollar };
        await a.askOne('key:a', { ...spent, have: 5 * dollar, posted: 5 * dollar, need: 5 * dollar });
        await b.askOne('key:a', { limit: 10 * dollar });
        await sql(fresh.url, ...statements);
        // The one that has nothing comes first: what the other one spent must not be given to it.
        await assert.rejects(b.askOne('key:a', { limit: 10 * dollar, need: cent }), EnterFirst);
        await assert.rejects(a.askOne('key:a', { ...spent, need: cent }), EnterFirst);
        const entries = [[want('key:a', spent)], []];
        const answers = await Promise.all(
          [a, b].flatMap((each, index) =>
            Array.from({ length: 50 }, () =>
              insist(
                each,
                () => each.askOne('key:a', { ...(index === 0 ? spent : { limit: 10 * dollar }), need: cent }),
                entries[index] ?? [],
              ),
            ),
          ),
        );
        assert.deepEqual(
          new Set(answers.map(({ have, posted }) => `${have} ${posted}`)),
          new Set([`${10 * dollar} ${10 * dollar}`, `0 ${10 * dollar}`]),
        );
        assert.match(troubles[0] ?? '', /lost its memory/);
      } finally {
        await Promise.all([one.close(), two.close()]);
        await fresh.close();
      }
    });
  }

  test('an amount that no double holds is refused, not rounded', async () => {
    const [one, two] = [await member(open()), await member(open())];
    const scope = unique('key');
    await one.askOne(scope, { need: cent });
    await sql(
      database.url,
      `UPDATE tollgate.bank_slices SET have = 9007199254740993 FROM tollgate.bank_purses p
      WHERE p.id = purse AND p.scope = '${scope}'`,
    );
    await assert.rejects(two.askOne(scope), /2\^53/);
  });

  test('windows long over are forgotten, with their slices; others stay', async () => {
    const one = memberOf(open({ forgetEveryMs: 20 }), unique('instance'));
    await one.enter();
    const [old, kept] = [unique('key'), unique('key')];
    await one.ask(want(old, { need: cent }), want(kept, { need: cent }));
    await sql(database.url, `UPDATE tollgate.bank_purses SET ends_at = 1000 WHERE scope = '${old}'`);
    const count = async (): Promise<unknown[]> =>
      sql(
        database.url,
        `SELECT scope FROM tollgate.bank_purses p
      JOIN tollgate.bank_slices s ON s.purse = p.id WHERE scope IN ('${old}', '${kept}')`,
      );
    while ((await count()).length > 1) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(await count(), [{ scope: kept }]);
  });

  test('F8: fifty instances start and spend against a server of a hundred connections', async () => {
    const server = await startPostgres({ settings: ['max_connections=100'] });
    const troubles: string[] = [];
    const fifty = Array.from({ length: 50 }, () =>
      createPostgresBank({ url: server.url, onTrouble: (message) => void troubles.push(message) }),
    );
    try {
      const all = await Promise.all(fifty.map((bank) => member(bank)));
      const slices = await Promise.all(all.map((each) => each.askOne('global:all', { need: cent })));
      assert.deepEqual(
        slices.map(({ have }) => have),
        slices.map(() => cent),
      );
      assert.match(troubles[0] ?? '', /takes 100 connections/);
    } finally {
      await Promise.all(fifty.map((bank) => bank.close()));
      await server.close();
    }
  });
});
