// The store's pace: CPU to take a receipt in, and whether questions stay as fast when there are many more receipts.

import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { openStore, type Store } from '../src/store/store.ts';
import { receipt } from '../test/ledger.ts';
import { startPostgres } from '../test/postgres.ts';
import { bytesOf } from '../test/store/kit.ts';

const dayMs = 86_400_000;
const days = 90;
const start = Date.parse('2026-01-01T00:00:00Z');
/** Receipts to compare at; `--receipts N` moves the second. */
const few = 20_000;
const many = Number(process.argv[process.argv.indexOf('--receipts') + 1]) || 200_000;
const atOnce = 5_000;

type Storage = Parameters<typeof openStore>[0]['storage'];

interface Figures {
  readonly cpu: number;
  readonly answers: readonly [string, number][];
  readonly longestMs: number;
}

/** A database of its own with so many receipts, evenly over the days. */
async function measure(count: number, storage: Storage): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-bench-store-'));
  const store = await openStore({ storage, journalFolder: folder, instance: 'bench' });
  try {
    const cpu = (await take(store, folder, count)) / count;
    return { cpu, answers: await ask(store), longestMs: await forget(store) };
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

async function compare(name: string, storage: (count: number) => Promise<Storage>): Promise<void> {
  const one = await measure(few, await storage(few));
  const other = await measure(many, await storage(many));
  console.log(`${name.padEnd(30)} ${String(few).padStart(9)} ${String(many).padStart(9)} receipts over ${days} days`);
  const line = (what: string, first: number, second: number, unit: string): void =>
    console.log(`  ${what.padEnd(28)} ${first.toFixed(1).padStart(9)} ${second.toFixed(1).padStart(9)} ${unit}`);
  line('CPU a receipt', one.cpu, other.cpu, 'µs');
  for (const [index, [question, ms]] of one.answers.entries()) line(question, ms, other.answers[index]?.[1] ?? 0, 'ms');
  line('waiting beside a forgetting', one.longestMs, other.longestMs, 'ms at most');
}

/** Writes receipts as the journal has them and lets the store read them; answers the process's CPU in microseconds. */
async function take(store: Store, folder: string, count: number): Promise<number> {
  let spent = 0;
  for (let at = 0; at < count; at += atOnce) {
    const rows = Array.from({ length: Math.min(atOnce, count - at) }, (_, index) => {
      const number = at + index;
      const moment = start + Math.floor(number * ((days * dayMs) / count));
      const time = moment.toString(16).padStart(12, '0');
      const id = `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${number.toString(16).padStart(12, '0')}`;
      return receipt(id, number % 1000, { at: moment, keyId: `k${number % 20}`, model: `m${number % 3}` });
    });
    appendFileSync(join(folder, '000000000001.journal'), bytesOf(...rows));
    const before = process.cpuUsage();
    await store.catchUp();
    const { user, system } = process.cpuUsage(before);
    spent += user + system;
  }
  return spent;
}

async function ask(store: Store): Promise<[string, number][]> {
  const end = start + days * dayMs;
  const questions: [string, () => Promise<unknown>][] = [
    ['costs of all time', () => store.costs({})],
    ['costs of a week', () => store.costs({ from: end - 7 * dayMs })],
    ['a key, day by day', () => store.spend({ keyId: 'k7', by: ['day'] })],
    ['the newest 100', () => store.requests({})],
    ['100 of a key', () => store.requests({ keyId: 'k7' })],
    ['100 of a day weeks ago', () => store.requests({ from: start + 30 * dayMs, to: start + 31 * dayMs })],
    ['100 that were cut', () => store.requests({ ending: 'cut' })],
  ];
  const answers: [string, number][] = [];
  for (const [name, question] of questions) {
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      const before = performance.now();
      await question();
      times.push(performance.now() - before);
    }
    answers.push([name, times.sort((a, b) => a - b)[2] ?? 0]);
  }
  return answers;
}

async function forget(store: Store): Promise<number> {
  let over = false;
  let longest = 0;
  const forgetting = store.forget(start + (days / 2) * dayMs).finally(() => {
    over = true;
  });
  while (!over) {
    const before = performance.now();
    await store.keys();
    longest = Math.max(longest, performance.now() - before);
  }
  await forgetting;
  return longest;
}

console.log(`${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, Node ${process.versions.node}`);
const home = mkdtempSync(join(tmpdir(), 'tollgate-bench-store-'));
await compare('SQLite', async (count) => ({ kind: 'sqlite', file: join(home, `${count}.db`) }));
rmSync(home, { recursive: true });
const server = await startPostgres();
await compare('PostgreSQL', async (count) => {
  const admin = new Client({ connectionString: server.url });
  await admin.connect();
  await admin.query(`CREATE DATABASE bench_${count}`);
  await admin.end();
  return { kind: 'postgres', url: server.url.replace(/\/postgres$/, `/bench_${count}`) };
});
await server.close();
