// The thread in which the database is spoken to: follows the journal and answers the store's questions.

import { randomUUID } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import type { Signal } from '../exchange/signal.ts';
import { createConsumer } from './consume.ts';
import { type Database, type Session, Taken, Unusable } from './database.ts';
import { migrate } from './migrate.ts';
import { createOtherCosts } from './other-costs.ts';
import type { Call, FromWorker, Methods, ToWorker, WorkerData } from './protocol.ts';
import { createReceipts } from './receipts.ts';
import { createRecords } from './records.ts';
import type { Listening } from './signals.ts';
import { createSpending } from './spend.ts';
import { openSqlite } from './sqlite.ts';

/** One for each process: two that have the same instance by mistake, a folder copied, must still hear each other. */
const sender = randomUUID();
const port = parentPort;
if (!port) throw new Error('the store worker runs in a worker thread');
const { storage, journalFolder, instance, after } = workerData as WorkerData;
const say = (message: FromWorker): void => port.postMessage(message);

/**
 * The journal is read on this often, and what failed is tried again. Whoever asks about receipts catches up first, so that
 * only other instances see them this late; a shorter wait makes smaller transactions, each of which costs some 0.5 ms.
 */
const lookMs = 1000;
/** Chunks read before questions get their turn again. */
const stepsMax = 8;

const database = await open();
const consumer = createConsumer(database, { journalFolder, instance });
/** Whether the schema is known to be the newest: nothing is asked before. */
let ready = false;
/** What is wrong, by who noticed it. */
const troubles: { journal?: string | undefined; signals?: string | undefined } = {};
let listening: Listening | undefined;
let timer: NodeJS.Timeout | undefined;
/** Readings one after another: a question that catches up waits for the reading under way. */
let reading: Promise<unknown> = Promise.resolve();

async function open(): Promise<Database> {
  // Loaded only where it is used: the driver costs some 50 ms and 10 MB.
  if (storage.kind === 'postgres') return (await import('./postgres.ts')).openPostgres(storage.url);
  try {
    return openSqlite(storage.file);
  } catch (error) {
    say({ closed: messageOf(error), forEver: true });
    throw error;
  }
}

async function begin(): Promise<void> {
  try {
    await migrate(database);
    if (storage.kind === 'postgres') await listen(storage.url);
  } catch (error) {
    const forEver = error instanceof Unusable || database.dialect === 'sqlite';
    say({ closed: messageOf(error), forEver });
    if (!forEver) timer = setTimeout(begin, lookMs);
    return;
  }
  ready = true;
  say({ ready: true, after: listening?.heard() });
  await follow();
}

/** Before anything is read that may change: what changes afterwards is heard of. */
async function listen(url: string): Promise<void> {
  const { listenForSignals } = await import('./signals.ts');
  listening = await listenForSignals({
    url,
    sender,
    after,
    hear: (signal, number) => say({ signal, number }),
    onTrouble: (message) => noticed('signals', message),
  });
}

async function announce(session: Session, signal: Signal): Promise<void> {
  if (storage.kind === 'sqlite') return;
  const { writeSignal } = await import('./signals.ts');
  await writeSignal(session, sender, signal);
}

function noticed(who: keyof typeof troubles, message: string | undefined): void {
  const before = troubles.signals ?? troubles.journal;
  troubles[who] = message;
  const now = troubles.signals ?? troubles.journal;
  if (now !== before) say({ trouble: now });
}

function read(steps: number): Promise<boolean> {
  const answer = reading.then(async () => {
    let more = true;
    for (let step = 0; step < steps && more; step++) {
      more = await consumer.step();
      if (more) await new Promise((resolve) => setImmediate(resolve));
    }
    return more;
  });
  reading = answer.catch(() => undefined);
  return answer;
}

async function follow(): Promise<void> {
  let more = false;
  try {
    more = await read(stepsMax);
    noticed('journal', undefined);
  } catch (error) {
    noticed('journal', messageOf(error));
  }
  timer = setTimeout(follow, more ? 0 : lookMs);
}

const methods: Methods = {
  ...createSpending(database),
  ...createReceipts(database),
  ...createOtherCosts(database),
  ...createRecords(database, (session, what) => announce(session, { kind: 'changed', what })),
  send: (signal) => database.transaction((session) => announce(session, signal)),
  async catchUp() {
    await read(Number.POSITIVE_INFINITY);
    return { cursor: await consumer.cursor() };
  },
};

async function answer({ number, method, argument }: Call): Promise<void> {
  try {
    if (!ready) throw new Error('the store cannot be reached');
    const run = methods[method] as (argument: unknown) => Promise<unknown>;
    say({ number, answer: await run(argument) });
  } catch (error) {
    say({ number, error: messageOf(error), taken: error instanceof Taken });
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Where a name has several addresses and none answers, the message is empty.
  return error.message || String((error as { code?: unknown }).code ?? error.name);
}

async function close(): Promise<void> {
  clearTimeout(timer);
  await reading;
  await listening?.close();
  await database.close();
  // A reading that was due must not find the database closed.
  process.exit(0);
}

port.on('message', (message: ToWorker) => {
  if (message === 'close') void close();
  else void answer(message);
});

await begin();
