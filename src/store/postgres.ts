// The store in a PostgreSQL database that several instances share: batches as arrays, one statement for all their rows.

import pg from 'pg';
import { type Database, type Row, type Session, type Table, Taken, upsertTail, type Value } from './database.ts';

/**
 * Connections of this instance: one to follow the journal, one for questions beside it. They are closed when idle, since
 * fifty instances must fit into PostgreSQL's own 100.
 */
const connectionsMax = 2;
const idleMs = 10_000;
const connectMs = 5_000;
const answerMs = 60_000;
/** Deadlocks and lost races, which PostgreSQL ends by throwing one side out. */
const again: readonly unknown[] = ['40P01', '40001'];
const triesMax = 5;
const taken = '23505';
/** Ours alone, so that tables with plain names can live in a database that others use too. */
export const everyConnection = "SET search_path TO tollgate; SET idle_in_transaction_session_timeout = '30s'";

/** 64-bit integers and their sums as numbers: what we store is below 2^53. */
export const numbers: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format: 'text' | 'binary') =>
    oid === 20 || oid === 1700 ? Number : pg.types.getTypeParser(oid, format)) as pg.CustomTypesConfig['getTypeParser'],
};

/** Nothing is asked of the server yet. TLS is what the url says (`sslmode`, `sslrootcert`, ...). */
export function openPostgres(url: string): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: connectionsMax,
    idleTimeoutMillis: idleMs,
    connectionTimeoutMillis: connectMs,
    query_timeout: answerMs,
    keepAlive: true,
    application_name: 'tollgate store',
    types: numbers,
    // Awaited before the connection is given to anybody.
    onConnect: (client) => client.query(everyConnection) as unknown as undefined,
  });
  // Whoever waits for an answer hears that the connection broke; without a listener Node would end the thread as well.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => void client.on('error', () => undefined));
  const session = createSession((text, values) => pool.query<Row>(text, values));

  const transaction = async <Answer>(work: (session: Session) => Promise<Answer>): Promise<Answer> => {
    const client = await pool.connect();
    let broken = false;
    try {
      await client.query('BEGIN');
      const answer = await work(createSession((text, values) => client.query<Row>(text, values)));
      await client.query('COMMIT');
      return answer;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => {
        broken = true;
      });
      throw error;
    } finally {
      client.release(broken);
    }
  };

  return {
    dialect: 'postgres',
    ...session,
    async transaction(work) {
      for (let tries = 1; ; tries++) {
        try {
          return await transaction(work);
        } catch (error) {
          if (tries >= triesMax || !again.includes(codeOf(error))) throw error;
        }
      }
    },
    close: () => pool.end(),
  };
}

type Query = (text: string, values: unknown[]) => Promise<pg.QueryResult<Row>>;

function createSession(query: Query): Session {
  const insert = ({ name, columns }: Table): string => {
    const arrays = Object.values(columns).map(
      (type, index) => `$${index + 1}::${type === 'text' ? 'text' : 'bigint'}[]`,
    );
    return `INSERT INTO ${name} (${Object.keys(columns).join(', ')}) SELECT * FROM unnest(${arrays.join(', ')})`;
  };
  const byColumn = ({ columns }: Table, rows: readonly (readonly Value[])[]): Value[][] =>
    Object.keys(columns).map((_, index) => rows.map((row) => row[index] ?? null));

  return {
    all: async (text, values = []) => (await query(numbered(text), [...values])).rows,
    async run(text, values = []) {
      try {
        return (await query(numbered(text), [...values])).rowCount ?? 0;
      } catch (error) {
        if (codeOf(error) === taken) throw new Taken((error as Error).message);
        throw error;
      }
    },
    async add(table, rows) {
      const known = new Set<number>();
      if (rows.length === 0) return known;
      const first = Object.keys(table.columns)[0];
      const text = `${insert(table)} ON CONFLICT (${table.key.join(', ')}) DO NOTHING RETURNING ${first} AS added`;
      const answer = await query(text, byColumn(table, rows));
      const added = new Set(answer.rows.map(({ added }) => added));
      // Taken out once found: the rows may have a key twice.
      rows.forEach(([key], index) => {
        if (!added.delete(key)) known.add(index);
      });
      return known;
    },
    async sum(table, rows) {
      if (rows.length > 0) await query(`${insert(table)} ${upsertTail(table)}`, byColumn(table, rows));
    },
  };
}

const texts = new Map<string, string>();
const textsMax = 500;

/** `?` as PostgreSQL writes it: `$1`, `$2`, ... */
function numbered(text: string): string {
  let known = texts.get(text);
  if (known === undefined) {
    let count = 0;
    known = text.replaceAll('?', () => `$${++count}`);
    if (texts.size >= textsMax) texts.clear();
    texts.set(text, known);
  }
  return known;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
