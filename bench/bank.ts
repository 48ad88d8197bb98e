// The banks' own pace: leases in batches on a real PostgreSQL against holds as row updates, and over a parent's channel.

import { fork } from 'node:child_process';
import { cpus } from 'node:os';
import { Client } from 'pg';
import { createBook } from '../src/bank/book.ts';
import { createParentBank, createWorkerBank } from '../src/bank/parent.ts';
import { createPostgresBank } from '../src/bank/postgres.ts';
import type { Bank } from '../src/exchange/bank.ts';
import { startPostgres } from '../test/postgres.ts';

const seconds = 4;
const batch = 500;
const dollar = 1_000_000_000;

/** Asks for a little more of each of its purses, over and over; answers the leases given a second. */
async function lease(bank: Bank, instance: string, scopes: readonly string[]): Promise<number> {
  let { number } = await bank.enter(instance, []);
  const have = scopes.map(() => 0);
  const startsAt = Date.now() - 3_600_000;
  const endsAt = startsAt + 86_400_000;
  let leases = 0;
  const started = performance.now();
  while (performance.now() - started < seconds * 1000) {
    number += 1;
    const wants = scopes.map((scope, index) => {
      const kept = have[index] ?? 0;
      return {
        scope,
        window: 'day',
        per: 'day',
        startsAt,
        endsAt,
        limit: 1e6 * dollar,
        have: kept,
        posted: kept,
        need: 1000,
        wish: 1000,
      } as const;
    });
    const { slices } = await bank.exchange({ instance, number, wants });
    for (const [index, slice] of slices.entries()) have[index] = slice.have;
    leases += slices.length;
  }
  return leases / ((performance.now() - started) / 1000);
}

/** What gateways do that keep balances in a table: one conditional update a request, all on one row. */
async function direct(url: string, clients: number): Promise<number> {
  const all = await Promise.all(
    Array.from({ length: clients }, async () => {
      const client = new Client({ connectionString: url });
      await client.connect();
      return client;
    }),
  );
  await all[0]?.query('CREATE TABLE balance (id int PRIMARY KEY, available bigint) WITH (fillfactor = 50)');
  await all[0]?.query('INSERT INTO balance VALUES (1, 1000000000000000)');
  let holds = 0;
  const started = performance.now();
  await Promise.all(
    all.map(async (client) => {
      const text = 'UPDATE balance SET available = available - $1 WHERE id = 1 AND available >= $1';
      while (performance.now() - started < seconds * 1000) {
        await client.query({ name: 'hold', text, values: [1000] });
        holds += 1;
      }
    }),
  );
  const rate = holds / ((performance.now() - started) / 1000);
  await Promise.all(all.map((client) => client.end()));
  return rate;
}

async function postgres(): Promise<void> {
  const server = await startPostgres({ durable: true });
  try {
    const holds = await direct(server.url, 8);
    print('PostgreSQL, one conditional update a hold on one row, 8 connections', holds, 'holds/s');
    for (const [title, instances, shared] of [
      ['one instance', 1, 0],
      ['two instances, a tenth of the purses shared', 2, 0.1],
      ['two instances, all purses shared', 2, 1],
    ] as const) {
      const banks = Array.from({ length: instances }, () => createPostgresBank({ url: server.url }));
      const rates = await Promise.all(
        banks.map((bank, index) => {
          const scopes = Array.from({ length: batch }, (_, n) =>
            n < batch * shared ? `${title}/key:${n}` : `${title}/key:${index}.${n}`,
          );
          return lease(bank, `${title}/${index}`, scopes);
        }),
      );
      print(
        `PostgreSQL, leases in batches of ${batch}, ${title}`,
        sum(rates),
        'leases/s',
        `${(sum(rates) / holds).toFixed(0)} times`,
      );
      await Promise.all(banks.map((bank) => bank.close()));
    }
  } finally {
    await server.close();
  }
}

async function parent(): Promise<void> {
  const book = createBook({ now: Date.now });
  const bank = createParentBank(book);
  for (const [size, workers] of [
    [batch, 2],
    [10, 2],
  ] as const) {
    const rates = await Promise.all(
      Array.from({ length: workers }, async (_, index) => {
        const worker = fork(import.meta.filename, ['worker', `${size}/${index}`, String(size)]);
        bank.attach(worker);
        return new Promise<number>((resolve) => {
          worker.on('message', (message) => {
            if (typeof message === 'object' && message !== null && 'rate' in message) resolve(Number(message.rate));
          });
        });
      }),
    );
    print(
      `parent process, leases in batches of ${size}, ${workers} workers`,
      sum(rates),
      'leases/s',
      `${(sum(rates) / size).toFixed(0)} calls/s`,
    );
  }
}

function sum(rates: readonly number[]): number {
  return rates.reduce((total, rate) => total + rate, 0);
}

function print(what: string, rate: number, unit: string, note = ''): void {
  console.log(`${what.padEnd(75)} ${Math.round(rate).toLocaleString('en-US').padStart(10)} ${unit}  ${note}`);
}

const [, , role, name = '', size = ''] = process.argv;
if (role === 'worker') {
  const scopes = Array.from({ length: Number(size) }, (_, n) => `key:${n}`);
  const rate = await lease(createWorkerBank(process), name, scopes);
  process.send?.({ rate }, () => process.disconnect?.());
} else {
  console.log(`${cpus().length} cores, ${cpus()[0]?.model.trim()}; writes reach the disk; ${seconds} s each`);
  await postgres();
  await parent();
}
