// Exact token counts from a worker that is started when money grows scarce, and stopped when nobody asks any more.

import { Worker } from 'node:worker_threads';
import type { Tokenizer } from '../world.ts';
import type { CountAnswer, CountQuestion, Encoding, Loaded, LoadWish } from './tokenizer-worker.ts';

/** Questions that wait at a time; one more is answered "not in time". */
const waitingMax = 64;
/** Loading a vocabulary takes 0.3 s, more on a busy machine; that a question waits for once rather than being refused a count. */
const startMs = 2000;
/** The worker's turn may be long in coming where all processors are busy: a stream that has money must not be cut for that. */
const turnMs = 500;
/** A worker holds 70 MB a vocabulary: given back after so long without a question. */
const idleMs = 300_000;

/** A worker and the vocabularies it was asked to load: each settles once it can count, or is not waited for any more. */
interface Running {
  readonly worker: Worker;
  readonly loads: Map<Encoding, Promise<void>>;
  /** Called when a vocabulary is there, or never will be. */
  readonly loaded: Map<Encoding, () => void>;
}

/** `close` ends the worker; questions that wait are answered "not in time". */
export function createTokenizer(): Tokenizer & { close(): Promise<void> } {
  const waiting = new Map<number, (tokens: number | undefined) => void>();
  let current: Running | undefined;
  let idle: NodeJS.Timeout | undefined;
  let number = 0;
  /** Those that wait for a vocabulary. */
  let queued = 0;
  let closed = false;

  const answerAll = (): void => {
    for (const settle of waiting.values()) settle(undefined);
    waiting.clear();
  };

  const stop = async (): Promise<void> => {
    clearTimeout(idle);
    const ended = current;
    current = undefined;
    answerAll();
    await ended?.worker.terminate();
  };

  const start = (): Running => {
    const name = import.meta.url.endsWith('.ts') ? './tokenizer-worker.ts' : './tokenizer-worker.js';
    const own: Running = { worker: new Worker(new URL(name, import.meta.url)), loads: new Map(), loaded: new Map() };
    const { worker, loaded } = own;
    worker.on('message', (message: CountAnswer | Loaded) => {
      if ('loaded' in message) loaded.get(message.loaded)?.();
      else waiting.get(message.id)?.(message.tokens);
    });
    // Without it the estimates decide, as they do while it starts.
    worker.on('error', () => undefined);
    worker.on('exit', () => {
      for (const settle of loaded.values()) settle();
      if (current !== own) return;
      current = undefined;
      answerAll();
    });
    // Behind the listeners: one for messages would hold the process again.
    worker.unref();
    return own;
  };

  const running = (): Running => {
    if (idle) idle.refresh();
    else idle = setTimeout(() => void stop(), idleMs).unref();
    current ??= start();
    return current;
  };

  const load = ({ worker, loads, loaded }: Running, encoding: Encoding): Promise<void> => {
    let loading = loads.get(encoding);
    if (!loading) {
      loading = new Promise((resolve) => {
        const timer = setTimeout(resolve, startMs).unref();
        loaded.set(encoding, () => {
          clearTimeout(timer);
          resolve();
        });
      });
      loads.set(encoding, loading);
      worker.postMessage({ load: encoding } satisfies LoadWish);
    }
    return loading;
  };

  const ask = (worker: Worker, question: Omit<CountQuestion, 'id' | 'until'>) =>
    new Promise<number | undefined>((resolve) => {
      const id = number++;
      const waitMs = question.workMs + turnMs;
      const settle = (tokens: number | undefined): void => {
        clearTimeout(timer);
        waiting.delete(id);
        resolve(tokens);
      };
      const timer = setTimeout(() => settle(undefined), waitMs).unref();
      waiting.set(id, settle);
      worker.postMessage({ ...question, id, until: Date.now() + waitMs } satisfies CountQuestion);
    });

  return {
    async count(text, encoding, workMs) {
      if (closed || waiting.size + queued >= waitingMax) return undefined;
      const own = running();
      queued++;
      await load(own, encoding);
      queued--;
      return current === own ? ask(own.worker, { text, encoding, workMs }) : undefined;
    },
    warm() {
      if (!closed) void load(running(), 'o200k_base');
    },
    async close() {
      closed = true;
      await stop();
    },
  };
}
