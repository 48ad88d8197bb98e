// The bank in PostgreSQL, for several instances: every call is one transaction, recalls travel by LISTEN and NOTIFY.

import type { Client, QueryResultRow } from 'pg';
import { type Bank, type BankAnswer, type BankAsk, EnterFirst, type SliceWant } from '../exchange/bank.ts';
import { numbers, texts } from './columns.ts';
import { migrateBank } from './migrate.ts';
import { exchangeOnce, type Stage } from './postgres-exchange.ts';
import { createRecallListener } from './postgres-recalls.ts';
import { createRecalls } from './recalls.ts';
import {
  type BankRules,
  checkAsk,
  checkWants,
  defaultRules,
  entriesMax,
  isKept,
  lateError,
  numbersApart,
} from './rules.ts';
import { createSession, sqlState } from './session.ts';
import * as statements from './statements.ts';

export interface PostgresBankOptions {
  /** `postgres://user:password@host:5432/database`. The tables are made in its schema `tollgate`. */
  readonly url: string;
  readonly rules?: Partial<BankRules>;
  /** How often windows long over are looked for; ten minutes by default, jittered. */
  readonly forgetEveryMs?: number;
  /** Told of what an operator should know: a bank that lost its memory, a server with too few connections. */
  readonly onTrouble?: (message: string) => void;
}

/** What `createPostgresBank` answers: the port, and what the tests of it look at. */
export interface PostgresBank extends Bank {
  /** Transactions begun again because PostgreSQL gave them up (deadlock, serialization). */
  readonly retried: number;
}

/** Two connections: one for calls, which come one at a time, and one that listens. */
const connectionsEach = 2;
const triesMost = 5;

/**
 * Connects when it is first asked, and for ever again; while the server is away calls are rejected, at once after the
 * first. Of one process, for one instance: recalls come for the instance that called last.
 */
export function createPostgresBank(options: PostgresBankOptions): PostgresBank {
  const rules = { ...defaultRules, ...options.rules };
  const recalls = createRecalls();
  const session = createSession({
    url: options.url,
    name: 'tollgate bank',
    prepare: migrateBank,
  });
  const listener = createRecallListener(options.url, recalls);
  /** The highest number that was answered, and to whom: a bank that knows a lower one was restored from an old copy. */
  let answered = { instance: '', number: 0 };
  let retried = 0;

  const retry = async <Answer>(
    work: (client: Client) => Promise<Answer>,
    keeps: (answer: Answer) => boolean = () => true,
  ): Promise<Answer> => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await session.work((client) => inTransaction(client, work, keeps));
      } catch (error) {
        const mayPass = ['40P01', '40001'].includes(sqlState(error) ?? '');
        if (!mayPass || tries === triesMost) throw error;
        retried += 1;
      }
    }
  };

  const exchange = async (ask: BankAsk): Promise<BankAnswer> => {
    checkAsk(ask);
    listener.of(ask.instance);
    const heard = recalls.heard(ask.wants);
    const known = answered.instance === ask.instance ? answered.number : 0;
    for (let tries = 1; ; tries += 1) {
      const stage = await retry(
        (client) => exchangeOnce(client, { ask, heard, answered: known, rules }),
        (each) => 'answer' in each,
      );
      if ('answer' in stage) {
        answered = { instance: ask.instance, number: Math.max(known, ask.number) };
        return stage.answer;
      }
      await stepAside(ask.instance, stage, tries);
    }
  };
  /** What must happen outside of the transaction before the ask is tried again, or that it cannot be. */
  const stepAside = async (
    instance: string,
    stage: Exclude<Stage, { answer: BankAnswer }>,
    tries: number,
  ): Promise<void> => {
    if ('lost' in stage) {
      await retry((client) => client.query(statements.loseMemory, [rules.settlesMs]));
      answered = { instance: '', number: 0 };
      options.onTrouble?.('the bank lost its memory: it gives nothing until every instance has told what it has');
      throw new EnterFirst('the bank lost its memory');
    }
    if ('stranger' in stage) {
      answered = { instance: '', number: 0 };
      throw new EnterFirst('the bank does not know this instance');
    }
    if ('late' in stage) throw lateError(instance);
    if ('settling' in stage) throw new Error('the bank lost its memory and waits for what every instance has');
    if (tries === triesMost) throw new Error('the purses vanish as they are made');
    await session.work((client) => makePurses(client, stage.missing));
  };

  const forget = (): void => {
    session.work((client) => client.query(statements.forgetPurses, [rules.forgetMs])).catch(() => undefined);
  };
  const sweep = setInterval(forget, (options.forgetEveryMs ?? 600_000) * (0.5 + Math.random()));
  sweep.unref();

  return {
    exchange,
    async enter(instance, entries) {
      checkWants(instance, entries, entriesMax);
      // The purses first, by themselves: who makes some while it has locked others could wait in a circle.
      const kept = await session.work((client) => makeForEntry(client, entries, rules));
      const { now, number } = await retry((client) => enterOnce(client, instance, kept));
      answered = { instance, number };
      listener.of(instance);
      await session.work((client) => warnOfConnections(client, options.onTrouble));
      return { now, number };
    },
    onRecall: recalls.onRecall,
    async close() {
      clearInterval(sweep);
      await Promise.all([session.close(), listener.close()]);
    },
    get retried() {
      return retried;
    },
  };
}

/** Commits where the answer is to be kept, otherwise nothing has happened. */
async function inTransaction<Answer>(
  client: Client,
  work: (client: Client) => Promise<Answer>,
  keeps: (answer: Answer) => boolean,
): Promise<Answer> {
  await client.query('BEGIN');
  try {
    const answer = await work(client);
    await client.query(keeps(answer) ? 'COMMIT' : 'ROLLBACK');
    return answer;
  } catch (error) {
    // On a connection that broke this fails as well; what counts is the first error.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function makePurses(client: Client, wants: readonly SliceWant[]): Promise<void> {
  await client.query({ text: statements.makePurses, values: namesAndEnds(wants) });
}

function namesAndEnds(wants: readonly SliceWant[]): string[] {
  return [
    texts(wants.map((want) => want.scope)),
    texts(wants.map((want) => want.window)),
    numbers(wants.map((want) => (Number.isFinite(want.endsAt) ? want.endsAt : null))),
  ];
}

interface Row extends QueryResultRow {
  readonly id: number;
  readonly place: number;
  readonly now: number;
  readonly number: number;
}

/** Entries are many at the first start after an upgrade: they have more time than a call. */
async function runLong(client: Client, text: string, values: unknown[]): Promise<Row[]> {
  const query = { text, values, query_timeout: 31_000 };
  return (await client.query<Row>(query)).rows;
}

/** Which of them are kept by the server's clock; each has its purse afterwards. */
async function makeForEntry(client: Client, entries: readonly SliceWant[], rules: BankRules): Promise<SliceWant[]> {
  const [clock] = await runLong(client, statements.readClock, []);
  const kept = entries.filter((want) => isKept(want, clock?.now ?? 0, rules));
  await client.query('SET statement_timeout = 30000');
  try {
    if (kept.length > 0) await runLong(client, statements.makePurses, namesAndEnds(kept));
  } finally {
    await client.query('SET statement_timeout = 2000');
  }
  return kept;
}

async function enterOnce(
  client: Client,
  instance: string,
  kept: readonly SliceWant[],
): Promise<{ now: number; number: number }> {
  await client.query('SET LOCAL statement_timeout = 30000');
  const [me] = await runLong(client, statements.enterInstance, [instance, numbersApart]);
  if (!me) throw new Error('the bank did not write down who entered');
  const found = await runLong(client, statements.findPurses, namesAndEnds(kept).slice(0, 2));
  const ids = numbers(found.map((row) => row.id));
  await runLong(client, statements.lockForEntry, [me.id, ids]);
  await client.query({ text: statements.dropSlices, values: [me.id, ids] });
  const wants = found.map((row) => kept[row.place - 1]);
  const amounts = [wants.map((want) => want?.have ?? 0), wants.map((want) => want?.posted ?? 0)].map(numbers);
  await runLong(client, statements.putSlices, [me.id, ids, ...amounts]);
  return { now: me.now, number: me.number };
}

async function warnOfConnections(client: Client, onTrouble?: (message: string) => void): Promise<void> {
  const { rows } = await client.query(`SELECT current_setting('max_connections')::int AS most,
    (SELECT count(*)::int FROM tollgate.bank_instances WHERE seen_at >= ${statements.nowMs} - 60000) AS instances`);
  const most = Number(rows[0]?.most);
  const wanted = Number(rows[0]?.instances) * connectionsEach;
  if (wanted <= most - 3) return;
  onTrouble?.(`PostgreSQL takes ${most} connections, its instances want ${wanted}: raise max_connections`);
}
