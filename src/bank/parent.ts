// The bank of one machine: the book in the parent process, and the port in each worker, over the channel of node's fork.

import { type Bank, type BankAnswer, type BankAsk, EnterFirst, type SliceWant } from '../exchange/bank.ts';
import type { Book } from './book.ts';
import { createRecalls, type Recall } from './recalls.ts';

/** A forked process as the parent has it, or `process` as the worker has it. */
export interface Channel {
  send?(message: ToParent | ToWorker, done: (error: Error | null) => void): unknown;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

/** The channel writes JSON, which knows no Infinity: a lifetime's end is null on the way. */
type SentWant = Omit<SliceWant, 'endsAt'> & { readonly endsAt: number | null };

type ToParent = { readonly bank: number } & (
  | {
      readonly exchange: Omit<BankAsk, 'wants'> & { readonly wants: readonly SentWant[] };
      readonly heard: readonly number[];
    }
  | { readonly enter: string; readonly purses: readonly SentWant[] }
);

type ToWorker = { readonly bank: number } & (
  | { readonly answer: unknown }
  | { readonly error: string; readonly enterFirst: boolean }
  | { readonly recalls: readonly Recall[] }
);

/** Calls of one worker that wait for the parent. */
const waitingMax = 1000;

/** In the parent: `attach` each worker right after its fork. What a dead one had stays its own until it enters again. */
export function createParentBank(book: Book): { attach(worker: Channel): void } {
  /** Whose recalls go where: an instance listens on the channel that it called on last. */
  const channels = new Map<string, Channel>();
  book.onRecall((instance, recalls) => channels.get(instance)?.send?.({ bank: 0, recalls }, () => undefined));

  return {
    attach(worker) {
      worker.on('message', (message) => {
        if (!isToParent(message)) return;
        const instance = 'enter' in message ? message.enter : message.exchange.instance;
        channels.set(instance, worker);
        worker.send?.(answerTo(book, message), () => undefined);
      });
      worker.on('disconnect', () => {
        for (const [instance, channel] of channels) if (channel === worker) channels.delete(instance);
      });
    },
  };
}

function answerTo(book: Book, message: ToParent): ToWorker {
  const { bank } = message;
  try {
    if ('enter' in message) return { bank, answer: book.enter(message.enter, message.purses.map(received)) };
    const { exchange, heard } = message;
    return { bank, answer: book.exchange({ ...exchange, wants: exchange.wants.map(received) }, heard) };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { bank, error: text, enterFirst: error instanceof EnterFirst };
  }
}

/** In the worker, over its `process`. Rejects everything once the parent is gone. */
export function createWorkerBank(channel: Channel): Bank {
  const recalls = createRecalls();
  const waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  let last = 0;
  let gone = false;

  const end = (): void => {
    gone = true;
    for (const { reject } of waiting.values()) reject(new Error('the parent process is gone'));
    waiting.clear();
  };
  channel.on('disconnect', end);
  channel.on('message', (message) => {
    if (!isToWorker(message)) return;
    if ('recalls' in message) return recalls.deliver(message.recalls);
    const call = waiting.get(message.bank);
    waiting.delete(message.bank);
    if ('answer' in message) call?.resolve(message.answer);
    else call?.reject(message.enterFirst ? new EnterFirst(message.error) : new Error(message.error));
  });
  const call = <Answer>(make: (bank: number) => ToParent): Promise<Answer> => {
    if (gone || !channel.send) return Promise.reject(new Error('there is no parent process'));
    if (waiting.size >= waitingMax) return Promise.reject(new Error('too many calls wait for the bank'));
    last += 1;
    const bank = last;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    waiting.set(bank, { resolve, reject });
    channel.send(make(bank), (error) => {
      if (!error) return;
      waiting.delete(bank);
      reject(error);
    });
    return promise as Promise<Answer>;
  };

  return {
    exchange: (ask) =>
      call<BankAnswer>((bank) => {
        const exchange = { instance: ask.instance, number: ask.number, wants: ask.wants.map(sent) };
        return { bank, exchange, heard: recalls.heard(ask.wants) };
      }),
    enter: (instance, purses) => call((bank) => ({ bank, enter: instance, purses: purses.map(sent) })),
    onRecall: recalls.onRecall,
    close() {
      end();
      return Promise.resolve();
    },
  };
}

function sent(want: SliceWant): SentWant {
  return { ...want, endsAt: Number.isFinite(want.endsAt) ? want.endsAt : null };
}

function received(want: SentWant): SliceWant {
  return { ...want, endsAt: want.endsAt ?? Number.POSITIVE_INFINITY };
}

/** Other messages travel on the same channel. Both ends are of one build: the mark is enough. */
function isToParent(message: unknown): message is ToParent {
  return isMarked(message) && ('exchange' in message || 'enter' in message);
}

function isToWorker(message: unknown): message is ToWorker {
  return isMarked(message) && ('answer' in message || 'error' in message || 'recalls' in message);
}

function isMarked(message: unknown): message is object {
  return typeof message === 'object' && message !== null && 'bank' in message && typeof message.bank === 'number';
}
