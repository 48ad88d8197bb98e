// One connection to PostgreSQL that is made when it is needed, made again after it broke, and not tried in vain at each call.

import { Client, type CustomTypesConfig, types } from 'pg';

export interface Session {
  /**
   * One piece of work at a time, in order. Rejects at once while the server is known to be away. A connection on which
   * work failed is not used again unless the server itself said no.
   */
  work<Answer>(task: (client: Client) => Promise<Answer>): Promise<Answer>;
  /** Resolves once the work at hand has ended. */
  close(): Promise<void>;
}

export interface SessionOptions {
  readonly url: string;
  readonly name: string;
  /** Runs once on each new connection. */
  readonly prepare: (client: Client) => Promise<void>;
  /** Told when an open connection broke. */
  readonly onBroken?: () => void;
}

/** Work that waits for its turn. */
const waitingMax = 1000;
const connectMs = 2000;
const queryMs = 3000;
/** How long a call waits for a connection where all are in use. */
const crowdedMs = 5000;
const backoffMs = { least: 50, most: 2000 };

/** int8 exactly: what a double cannot hold is an error, not another amount. */
const exactTypes: CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === types.builtins.INT8 && format !== 'binary') return exactInteger;
    return types.getTypeParser(oid, format);
  },
};

function exactInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`the bank holds ${text}, more than 2^53`);
  return value;
}

/**
 * A process that stands still in the middle of a call holds up the others for a second, no longer. Plans must not depend on statistics that a table of minutes never has; without nested loops over the indexes a call of
 * 500 purses reads the whole table. JIT costs more than all of it.
 */
const settings = `
SET statement_timeout = 2000; SET idle_in_transaction_session_timeout = 1000; SET jit = off;
SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET plan_cache_mode = force_generic_plan`;

export function createSession(options: SessionOptions): Session {
  let client: Client | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  let closed = false;
  let away: { error: unknown; until: number; waitMs: number } | undefined;

  const open = async (): Promise<Client> => {
    const fresh = new Client({
      connectionString: options.url,
      application_name: options.name,
      connectionTimeoutMillis: connectMs,
      query_timeout: queryMs,
      keepAlive: true,
      types: exactTypes,
    });
    const broke = (): void => {
      if (client !== fresh) return;
      client = undefined;
      options.onBroken?.();
    };
    fresh.on('error', broke);
    fresh.on('end', broke);
    try {
      await fresh.connect();
      await fresh.query(settings);
      await options.prepare(fresh);
      return fresh;
    } catch (error) {
      fresh.end().catch(() => undefined);
      throw error;
    }
  };

  const connect = async (): Promise<Client> => {
    const started = performance.now();
    if (away && started < away.until) throw away.error;
    for (;;) {
      try {
        client = await open();
        away = undefined;
        return client;
      } catch (error) {
        // Others use all connections that the server has: one comes free as soon as one of them is idle.
        if (sqlState(error) === '53300' && performance.now() - started < crowdedMs) {
          await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 80));
          continue;
        }
        const waitMs = Math.min(backoffMs.most, (away?.waitMs ?? backoffMs.least / 2) * 2);
        away = { error, waitMs, until: performance.now() + waitMs * (0.5 + Math.random() / 2) };
        throw error;
      }
    }
  };

  const turn = async <Answer>(task: (client: Client) => Promise<Answer>): Promise<Answer> => {
    if (closed) throw new Error('the bank is closed');
    const used = client ?? (await connect());
    try {
      return await task(used);
    } catch (error) {
      if (!isAnswer(error) && client === used) {
        client = undefined;
        used.end().catch(() => undefined);
      }
      throw error;
    }
  };

  return {
    work(task) {
      if (waiting >= waitingMax) return Promise.reject(new Error('too many calls wait for the bank'));
      waiting += 1;
      const mine = last.then(() => turn(task));
      last = mine.then(
        () => undefined,
        () => undefined,
      );
      return mine.finally(() => {
        waiting -= 1;
      });
    },
    async close() {
      closed = true;
      await last;
      const used = client;
      client = undefined;
      await used?.end().catch(() => undefined);
    },
  };
}

/** Whether PostgreSQL answered with an error of the statement, after which the connection is as good as before. */
function isAnswer(error: unknown): boolean {
  const code = sqlState(error);
  // 57P..: it is being shut down; 08...: the connection; 25P03: it waited too long for us.
  return code !== undefined && !/^(57P|08|25P03)/.test(code);
}

/** `40P01` and its like; undefined where it is no error of PostgreSQL's. */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]+$/.test(code) ? code : undefined;
}
