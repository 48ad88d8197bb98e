// Exact token counts from a worker that is started when money grows scarce, and stopped when nobody asks any more.

import { Worker } from 'node:worker_threads';
import type { Tokenizer } from '../world.ts';
import type { CountAnswer, CountQuestion } from './tokenizer-worker.ts';

/** The id of the worker's word that it can count. */
const ready = -1;

/** Questions that wait at a time; one more is answered "not in time". */
const waitingMax = 64;
/** Starting takes 0.3 s, more on a busy machine; that a question waits for once rather than being refused a count. */
const startMs = 2000;
/** A worker holds 70 MB a vocabulary: given back after so long without a question. */
const idleMs = 300_000;

/** `close` ends the worker; questions that wait are answered "not in time". */
export function createTokenizer(): Tokenizer & { close(): Promise<void> } {
  const waiting = new Map<number, (tokens: number | undefined) => void>();
  let worker: Worker | undefined;
  /** Settled once it can count, or once it is not waited for any more. */
  let starting: Promise<void> | undefined;
  let idle: NodeJS.Timeout | undefined;
  let number = 0;
  /** Those that wait for the start. */
  let queued = 0;
  let closed = false;

  const answerAll = (): void => {
    for (const settle of waiting.values()) settle(undefined);
    waiting.clear();
  };

  const stop = async (): Promise<void> => {
    clearTimeout(idle);
    const ended = worker;
    worker = undefined;
    answerAll();
    await ended?.terminate();
  };

  const running = (): Worker => {
    if (idle) idle.refresh();
    else idle = setTimeout(() => void stop(), idleMs).unref();
    if (worker) return worker;
    const name = import.meta.url.endsWith('.ts') ? './tokenizer-worker.ts' : './tokenizer-worker.js';
    const own = new Worker(new URL(name, import.meta.url));
    own.unref();
    starting = new Promise((resolve) => {
      const started = (): void => {
        clearTimeout(timer);
        starting = undefined;
        resolve();
      };
      const timer = setTimeout(started, startMs).unref();
      own.on('message', ({ id, tokens }: CountAnswer) => (id === ready ? started() : waiting.get(id)?.(tokens)));
      own.on('exit', started);
    });
    // Without it the estimates decide, as they do while it starts.
    own.on('error', () => undefined);
    own.on('exit', () => {
      if (worker !== own) return;
      worker = undefined;
      answerAll();
    });
    worker = own;
    return own;
  };

  const ask = (own: Worker, question: Omit<CountQuestion, 'id' | 'until'>, boundMs: number) =>
    new Promise<number | undefined>((resolve) => {
      const id = number++;
      const settle = (tokens: number | undefined): void => {
        clearTimeout(timer);
        waiting.delete(id);
        resolve(tokens);
      };
      const timer = setTimeout(() => settle(undefined), boundMs).unref();
      waiting.set(id, settle);
      own.postMessage({ ...question, id, until: Date.now() + boundMs } satisfies CountQuestion);
    });

  return {
    async count(text, encoding, boundMs) {
      if (closed || waiting.size + queued >= waitingMax) return undefined;
      const own = running();
      queued++;
      await starting;
      queued--;
      return worker === own ? ask(own, { text, encoding }, boundMs) : undefined;
    },
    warm() {
      if (!closed) running();
    },
    async close() {
      closed = true;
      await stop();
    },
  };
}
