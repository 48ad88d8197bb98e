// The store in one SQLite file: statements prepared once, transactions one after another.

import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { type Database, type Row, type Session, type Table, Taken, upsertTail } from './database.ts';

/** Texts differ by which filters a question has. */
const statementsMax = 200;
/**
 * A receipt takes 850 bytes, of which a page of SQLite's usual 4,096 holds four: with 16 KiB the tree is half as deep and
 * taking one in costs a fifth less CPU. A commit of few rows writes more for it: 64 KiB instead of 16 for one alone.
 */
const pageBytes = 16_384;
/** The ends of the index by key, a page for each of some hundreds of busy keys. */
const cacheKibibytes = 8_192;
/** SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE. */
const taken: readonly unknown[] = [1555, 2067];

/** Throws what SQLite says. */
export function openSqlite(file: string): Database {
  const database = new DatabaseSync(file);
  try {
    // The wait first: several processes open the file at once, and changing its mode takes a lock. The size of a page
    // only counts where the file is new.
    database.exec(
      `PRAGMA busy_timeout = 5000; PRAGMA page_size = ${pageBytes}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -${cacheKibibytes}`,
    );
  } catch (error) {
    database.close();
    throw error;
  }
  const session = createSession(database);
  // One connection: what is asked while a transaction is open waits for its end, so that it neither joins nor sees it.
  let last: Promise<unknown> = Promise.resolve();
  const alone = <Answer>(work: () => Promise<Answer>): Promise<Answer> => {
    const answer = last.then(work);
    last = answer.catch(() => undefined);
    return answer;
  };
  return {
    dialect: 'sqlite',
    all: (text, values) => alone(() => session.all(text, values)),
    run: (text, values) => alone(() => session.run(text, values)),
    add: (table, rows) => alone(() => session.add(table, rows)),
    sum: (table, rows) => alone(() => session.sum(table, rows)),
    transaction: (work) =>
      alone(async () => {
        database.exec('BEGIN IMMEDIATE');
        try {
          const answer = await work(session);
          database.exec('COMMIT');
          return answer;
        } catch (error) {
          // A full disk may have ended it already, and must not hide behind what ROLLBACK says of that.
          if (database.isTransaction) database.exec('ROLLBACK');
          throw error;
        }
      }),
    close: () => alone(async () => database.close()),
  };
}

function createSession(database: DatabaseSync): Session {
  const statements = new Map<string, StatementSync>();
  const prepare = (text: string): StatementSync => {
    let statement = statements.get(text);
    if (!statement) {
      if (statements.size >= statementsMax) statements.delete(statements.keys().next().value ?? '');
      statement = database.prepare(text);
      statements.set(text, statement);
    }
    return statement;
  };
  const insert = ({ name, columns }: Table): string => {
    const names = Object.keys(columns);
    return `INSERT INTO ${name} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
  };

  return {
    all: async (text, values = []) => prepare(text).all(...values) as Row[],
    async run(text, values = []) {
      try {
        return Number(prepare(text).run(...values).changes);
      } catch (error) {
        if (error instanceof Error && taken.includes((error as { errcode?: unknown }).errcode)) {
          throw new Taken(error.message);
        }
        throw error;
      }
    },
    async add(table, rows) {
      const statement = prepare(`${insert(table)} ON CONFLICT DO NOTHING`);
      const known = new Set<number>();
      rows.forEach((row, index) => {
        if (statement.run(...row).changes === 0) known.add(index);
      });
      return known;
    },
    async sum(table, rows) {
      const statement = prepare(`${insert(table)} ${upsertTail(table)}`);
      for (const row of rows) statement.run(...row);
    },
  };
}
