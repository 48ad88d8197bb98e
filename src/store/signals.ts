// Signals between instances by way of PostgreSQL: written as numbered rows, announced at once, looked for all the same.

import pg from 'pg';
import type { Signal } from '../exchange/signal.ts';
import type { Session } from './database.ts';
import { everyConnection, numbers } from './postgres.ts';

/** Any number: writers go one after another, so that a row is never seen before one with a lower number. */
const writeLock = 7_236_002;
const keptMs = 10 * 60_000;
/** A NOTIFY can be lost while a connection breaks; a kill must not be: looked for twice in the second it may take. */
const lookMs = 500;
const connectMs = 3_000;
const answerMs = 2_000;
const channel = 'tollgate_signals';
/** One clock for all: an instance that runs ahead would forget what the others have not heard yet. */
const databaseNow = 'CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)';

/** Part of the transaction of `session`: heard once that is committed, and only then. */
export async function writeSignal(session: Session, sender: string, signal: Signal): Promise<void> {
  await session.all('SELECT pg_advisory_xact_lock(?)', [writeLock]);
  await session.run(
    `INSERT INTO signals (number, at, sender, body)
    SELECT COALESCE(MAX(number), 0) + 1, ${databaseNow}, CAST(? AS TEXT), CAST(? AS TEXT) FROM signals`,
    [sender, JSON.stringify(signal)],
  );
  // The newest stays, so that numbers never begin again.
  await session.run(
    `DELETE FROM signals WHERE at < ${databaseNow} - ? AND number < (SELECT MAX(number) FROM signals)`,
    [keptMs],
  );
  await session.all(`SELECT pg_notify('${channel}', '')`);
}

export interface Listening {
  /** Number of the last signal. */
  heard(): number;
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly url: string;
  /** Whose own signals need not be heard. */
  readonly sender: string;
  /** Number of the last signal that is known; unset to hear only what comes from now on. */
  readonly after: number | undefined;
  readonly hear: (signal: Signal, number: number) => void;
  /** Why nothing can be heard now; undefined once it can be again. */
  readonly onTrouble: (message: string | undefined) => void;
}

/**
 * Hears every signal that is written from now on. Rejects where the database cannot be reached now; a connection that
 * breaks later is made again, and what was said meanwhile is heard then.
 */
export async function listenForSignals(options: ListenOptions): Promise<Listening> {
  const { url, sender: self, after, hear, onTrouble } = options;
  let client: pg.Client | undefined;
  /** The last number heard of; unset before the first look. */
  let last = after;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let looking = false;
  let lookAgain = false;

  const connect = async (): Promise<void> => {
    const next = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: connectMs,
      query_timeout: answerMs,
      keepAlive: true,
      application_name: 'tollgate signals',
      types: numbers,
    });
    next.on('error', (error) => void lost(next, error));
    next.on('end', () => void lost(next, new Error('the connection to PostgreSQL ended')));
    next.on('notification', () => void look());
    try {
      await next.connect();
      await next.query(everyConnection);
      await next.query(`LISTEN ${channel}`);
      const { rows } = await next.query('SELECT COALESCE(MAX(number), 0) AS newest FROM signals');
      const newest = Number(rows[0]?.newest);
      // Lower than before: another database, a restored one. Whoever was cut off for longer than signals are kept reads
      // everything again anyway, since the trouble is over.
      if (last === undefined || newest < last) last = newest;
      client = next;
    } catch (error) {
      next.removeAllListeners('end');
      void next.end().catch(() => undefined);
      throw error;
    }
  };

  const lost = async (which: pg.Client, error: Error): Promise<void> => {
    if (closed || client !== which) return;
    client = undefined;
    clearTimeout(timer);
    onTrouble(error.message);
    void which.end().catch(() => undefined);
    await again();
  };
  const again = async (): Promise<void> => {
    if (closed) return;
    try {
      await connect();
      onTrouble(undefined);
      await look();
    } catch {
      clearTimeout(timer);
      timer = setTimeout(again, lookMs);
    }
  };

  const look = async (): Promise<void> => {
    lookAgain = true;
    if (looking) return;
    looking = true;
    clearTimeout(timer);
    const at = client;
    try {
      while (lookAgain && at) {
        lookAgain = false;
        const text = 'SELECT number, sender, body FROM signals WHERE number > $1 ORDER BY number';
        for (const { number, sender, body } of (await at.query(text, [last ?? 0])).rows) {
          last = Number(number);
          if (sender !== self) hear(JSON.parse(String(body)), last);
        }
      }
    } catch (error) {
      if (at) void lost(at, error as Error);
    } finally {
      looking = false;
      if (!closed && client) timer = setTimeout(look, lookMs);
    }
  };

  await connect();
  timer = setTimeout(look, lookMs);
  return {
    heard: () => last ?? 0,
    async close() {
      closed = true;
      clearTimeout(timer);
      await client?.end().catch(() => undefined);
    },
  };
}
