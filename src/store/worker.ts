// The thread in which SQLite lives: follows the journal and answers the store's questions, one at a time.

import { parentPort, workerData } from 'node:worker_threads';
import { createConsumer } from './consume.ts';
import { openDatabase } from './database.ts';
import type { Call, FromWorker, Methods } from './protocol.ts';
import { createQueries } from './queries.ts';

const port = parentPort;
if (!port) throw new Error('the store worker runs in a worker thread');
const { journalFolder, file } = workerData as { journalFolder: string; file: string };
const database = openDatabase(file);
const consumer = createConsumer(database, journalFolder);
const say = (message: FromWorker): void => port.postMessage(message);

/** A pause after a nudge, so that a burst of requests is one transaction. */
const gatherMs = 50;
/** What no nudge announced is found this often. */
const lookMs = 1000;
/** Chunks read before questions get their turn again. */
const stepsMax = 8;

let timer: NodeJS.Timeout | undefined;

function follow(): void {
  timer = undefined;
  let more = true;
  try {
    for (let step = 0; step < stepsMax && more; step++) more = consumer.step();
  } catch (error) {
    more = false;
    say({ trouble: String(error) });
  }
  say({ followed: true });
  if (more) setImmediate(follow);
  else timer = setTimeout(follow, lookMs);
}

const methods: Methods = {
  ...createQueries(database),
  catchUp() {
    while (consumer.step());
    return { cursor: consumer.cursor() };
  },
};

function answer({ number, method, argument }: Call): void {
  try {
    const run = methods[method] as (argument: unknown) => unknown;
    say({ number, answer: run(argument) });
  } catch (error) {
    say({ number, error: String(error) });
  }
}

port.on('message', (message: Call | 'nudge' | 'close') => {
  if (message === 'close') {
    clearTimeout(timer);
    database.close();
    port.close();
    // A reading that was due must not find the database closed.
    process.exit(0);
  } else if (message === 'nudge') {
    clearTimeout(timer);
    timer = setTimeout(follow, gatherMs);
  } else answer(message);
});

say({ ready: true });
follow();
