// What the contract of banks runs on: several instances' ports to one bank, each as a user of it would have them.

import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { createBook } from '../../src/bank/book.ts';
import { createParentBank } from '../../src/bank/parent.ts';
import { createPostgresBank, type PostgresBank } from '../../src/bank/postgres.ts';
import type { BankRules } from '../../src/bank/rules.ts';
import { type Bank, EnterFirst, type Purse, type SliceWant } from '../../src/exchange/bank.ts';
import { createTestDatabase } from '../postgres.ts';

export interface BankKit {
  readonly name: string;
  /** Random lives that are lived on it; some 30 calls each. */
  readonly runs: number;
  open(rules?: Partial<BankRules>): Promise<OpenKit>;
}

export interface OpenKit {
  /** The port of one more instance. */
  bank(): Promise<Bank>;
  /** Transactions that had to be begun again so far. */
  retried(): number;
  close(): Promise<void>;
}

export const bookKit: BankKit = {
  name: 'book',
  runs: 300,
  async open(rules = {}) {
    const book = createBook({ now: Date.now, rules });
    return { bank: async () => book.bank(), retried: () => 0, close: () => Promise.resolve() };
  },
};

/** Each instance a real process, driven by lines on its standard input; the book is in this one. */
export const parentKit: BankKit = {
  name: 'parent process',
  runs: 40,
  async open(rules = {}) {
    const parent = createParentBank(createBook({ now: Date.now, rules }));
    const children: ChildProcess[] = [];
    return {
      async bank() {
        const child = fork(new URL('./worker.ts', import.meta.url), { stdio: ['pipe', 'pipe', 'inherit', 'ipc'] });
        children.push(child);
        parent.attach(child);
        return driven(child);
      },
      retried: () => 0,
      async close() {
        await Promise.all(
          children.map((child) => {
            const ended = new Promise((resolve) => child.once('exit', resolve));
            child.kill('SIGKILL');
            return ended;
          }),
        );
      },
    };
  },
};

export const postgresKit: BankKit = {
  name: 'PostgreSQL',
  runs: 15,
  async open(rules = {}) {
    const database = await createTestDatabase();
    const banks: PostgresBank[] = [];
    return {
      async bank() {
        const bank = createPostgresBank({ url: database.url, rules });
        banks.push(bank);
        return bank;
      },
      retried: () => banks.reduce((sum, bank) => sum + bank.retried, 0),
      async close() {
        await Promise.all(banks.map((bank) => bank.close()));
        await database.close();
      },
    };
  },
};

/** The worker's port, by way of its standard input and output; JSON knows no Infinity. */
function driven(child: ChildProcess): Bank {
  const waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  const listeners: ((purses: readonly Purse[]) => void)[] = [];
  let last = 0;
  if (!child.stdout) throw new Error('a worker without output');
  createInterface(child.stdout).on('line', (line) => {
    const message = JSON.parse(line) as {
      id: number;
      answer?: unknown;
      error?: string;
      enterFirst?: boolean;
      recalled?: Purse[];
    };
    if (message.recalled) for (const listener of listeners) listener(message.recalled);
    const call = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error === undefined) call?.resolve(message.answer);
    else call?.reject(message.enterFirst ? new EnterFirst(message.error) : new Error(message.error));
  });
  child.on('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('the worker died'));
  });
  const call = <Answer>(method: 'exchange' | 'enter', words: unknown[]): Promise<Answer> => {
    last += 1;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    waiting.set(last, { resolve, reject });
    child.stdin?.write(`${JSON.stringify({ id: last, method, words })}\n`);
    return promise as Promise<Answer>;
  };
  return {
    exchange: (ask) => call('exchange', [ask]),
    enter: (instance, purses) => call('enter', [instance, purses]),
    onRecall: (listener) => void listeners.push(listener),
    close: () => Promise.resolve(),
  };
}

/** A day that has begun an hour ago by this machine's clock, which is the server's too. */
export function want(scope: string, fields: Partial<SliceWant> = {}): SliceWant {
  const hour = 3_600_000;
  const startsAt = fields.startsAt ?? Date.now() - hour;
  return {
    scope,
    window: 'day/UTC/now',
    per: 'day',
    startsAt,
    endsAt: startsAt + 24 * hour,
    limit: 1_000_000_000,
    have: 0,
    posted: 0,
    need: 0,
    wish: 0,
    ...fields,
  };
}
