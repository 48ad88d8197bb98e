// Exact token counts from a worker that is started when money grows scarce, and stopped when nobody asks any more.

import { Worker } from 'node:worker_threads';
import type { Tokenizer } from '../world.ts';
import type { CountAnswer, CountQuestion } from './tokenizer-worker.ts';

/** Questions that wait at a time; one more is answered "not in time". */
const waitingMax = 64;
/** A worker holds 70 MB a vocabulary: given back after so long without a question. */
const idleMs = 300_000;

/** `close` ends the worker; questions that wait are answered "not in time". */
export function createTokenizer(): Tokenizer & { close(): Promise<void> } {
  const waiting = new Map<number, (tokens: number | undefined) => void>();
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let number = 0;
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
    own.on('message', ({ id, tokens }: CountAnswer) => waiting.get(id)?.(tokens));
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

  const ask = (text: string, encoding: CountQuestion['encoding'], boundMs: number): Promise<number | undefined> => {
    if (closed || waiting.size >= waitingMax) return Promise.resolve(undefined);
    const id = number++;
    return new Promise((resolve) => {
      const settle = (tokens: number | undefined): void => {
        clearTimeout(timer);
        waiting.delete(id);
        resolve(tokens);
      };
      const timer = setTimeout(() => settle(undefined), boundMs).unref();
      waiting.set(id, settle);
      const question: CountQuestion = { id, text, encoding, until: Date.now() + boundMs };
      running().postMessage(question);
    });
  };

  return {
    count: ask,
    warm() {
      if (worker === undefined && !closed) void ask('', 'o200k_base', 10_000);
      else idle?.refresh();
    },
    async close() {
      closed = true;
      await stop();
    },
  };
}
