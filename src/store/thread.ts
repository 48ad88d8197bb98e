// The store's worker as the main thread has it: started, asked, and started again when it dies.

import { Worker } from 'node:worker_threads';
import type { Signal } from '../exchange/signal.ts';
import { Taken } from './database.ts';
import type { FromWorker, Methods, ToWorker, WorkerData } from './protocol.ts';

export interface Thread {
  ask<Name extends keyof Methods>(method: Name, argument?: Parameters<Methods[Name]>[0]): ReturnType<Methods[Name]>;
  /** Why the store does not answer or does not read on; undefined while all is well. */
  trouble(): string | undefined;
  close(): Promise<void>;
}

export interface ThreadOptions {
  readonly data: WorkerData;
  /** Resolve also where the database cannot be reached now: it is tried for ever. */
  readonly mayBeAway: boolean;
  /** Told each time that the trouble is another; undefined when it is over. */
  readonly onTrouble: (message: string | undefined) => void;
  readonly onSignal: (signal: Signal) => void;
}

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/** Questions that may wait for the worker at a time. */
const waitingMax = 1000;
/** Before a dead worker is started again: at first, and at most. */
const pauseMs = { first: 100, most: 30_000 };
/** How long a database that was never open may keep a start waiting: its own may be under way. */
const patienceMs = 10_000;

export async function startThread(options: ThreadOptions): Promise<Thread> {
  const { data, mayBeAway, onTrouble, onSignal } = options;
  const waiting = new Map<number, Waiting>();
  let number = 0;
  let after: number | undefined;
  let closing = false;
  let worker: Worker | undefined;
  let trouble: string | undefined;
  let restart: NodeJS.Timeout | undefined;
  let pause = pauseMs.first;
  let exited = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  const started = performance.now();

  const setTrouble = (message: string | undefined): void => {
    if (message === trouble) return;
    trouble = message;
    onTrouble(message);
  };
  const rejectAll = (error: Error): void => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  const hear = (message: FromWorker): void => {
    if ('ready' in message) {
      pause = pauseMs.first;
      after = message.after;
      setTrouble(undefined);
      opened.resolve();
    } else if ('closed' in message) {
      setTrouble(message.closed);
      if (message.forEver || (!mayBeAway && performance.now() - started > patienceMs))
        opened.reject(new Error(message.closed));
      else if (mayBeAway) opened.resolve();
    } else if ('signal' in message) {
      after = message.number;
      onSignal(message.signal);
    } else if ('trouble' in message) setTrouble(message.trouble);
    else {
      const call = waiting.get(message.number);
      waiting.delete(message.number);
      if (!('error' in message)) call?.resolve(message.answer);
      else call?.reject(message.taken ? new Taken(message.error) : new Error(message.error));
    }
  };
  const start = (): void => {
    exited = Promise.withResolvers<void>();
    const name = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
    const own = new Worker(new URL(name, import.meta.url), { workerData: { ...data, after } satisfies WorkerData });
    worker = own;
    let reason = 'it ended by itself';
    own.on('message', hear);
    own.on('error', (error: Error) => {
      reason = error.message;
    });
    own.on('exit', () => {
      worker = undefined;
      exited.resolve();
      if (closing) return rejectAll(new Error('the store is closed'));
      rejectAll(new Error(`the store's worker died: ${reason}`));
      setTrouble(`the store's worker died: ${reason}`);
      restart = setTimeout(start, pause);
      pause = Math.min(pause * 2, pauseMs.most);
    });
  };

  const close = async (): Promise<void> => {
    closing = true;
    clearTimeout(restart);
    worker?.postMessage('close' satisfies ToWorker);
    if (worker) await exited.promise;
  };
  start();
  await opened.promise.catch(async (error: Error) => {
    await close();
    throw error;
  });

  return {
    ask(method, argument) {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      if (closing) reject(new Error('the store is closed'));
      else if (!worker) reject(new Error(trouble ?? 'the store cannot be reached'));
      else if (waiting.size >= waitingMax) reject(new Error('too many questions wait for the store'));
      else {
        number += 1;
        waiting.set(number, { resolve, reject });
        worker.postMessage({ number, method, argument } satisfies ToWorker);
      }
      return promise as ReturnType<Methods[typeof method]>;
    },
    trouble: () => trouble,
    close,
  };
}
