// The journal's reader as the main thread sees it: questions go to a worker, answers are promises.

import { Worker } from 'node:worker_threads';
import type { KeyRecord } from '../exchange/caller.ts';
import type { Receipt } from '../exchange/receipt.ts';
import type { CostsAnswer, RequestsQuery, SpendQuery, SpendRow } from '../exchange/spend.ts';
import type { Cursor } from './consume.ts';
import type { FromWorker, Methods } from './protocol.ts';

/** Every answer may reject with an Error: the data path must not wait for one. */
export interface Store {
  keys(): Promise<KeyRecord[]>;
  /** Adds a key, or replaces the one of the same id. */
  saveKey(record: KeyRecord): Promise<void>;
  spend(query: SpendQuery): Promise<SpendRow[]>;
  costs(query: SpendQuery): Promise<CostsAnswer>;
  requests(query: RequestsQuery): Promise<Receipt[]>;
  receipt(id: string): Promise<Receipt | undefined>;
  /** Removes receipts older than this (epoch ms) and says how many; sums stay. */
  forget(before: number): Promise<number>;
  /** Resolves once everything is read that was in the journal when it was asked for. */
  catchUp(): Promise<{ cursor: Cursor }>;
  /** The journal grew. Costs nothing where the worker knows already. */
  nudge(): void;
  close(): Promise<void>;
}

export interface StoreOptions {
  readonly journalFolder: string;
  readonly file: string;
  /** Told when the worker cannot read on, or died. */
  readonly onTrouble?: (message: string) => void;
}

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/** Questions that may wait for the worker at a time. */
const waitingMax = 1000;

/** Resolves once the database is open and its schema the newest; rejects where it cannot be. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { journalFolder, file, onTrouble } = options;
  const name = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
  const worker = new Worker(new URL(name, import.meta.url), { workerData: { journalFolder, file } });
  const waiting = new Map<number, Waiting>();
  let number = 0;
  let nudged = false;
  let over: Error | undefined;

  const end = (error: Error): void => {
    over ??= error;
    for (const { reject } of waiting.values()) reject(over);
    waiting.clear();
  };
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  worker.on('message', (message: FromWorker) => {
    if ('ready' in message) ready.resolve();
    else if ('followed' in message) nudged = false;
    else if ('trouble' in message) onTrouble?.(message.trouble);
    else {
      const call = waiting.get(message.number);
      waiting.delete(message.number);
      if ('error' in message) call?.reject(new Error(message.error));
      else call?.resolve(message.answer);
    }
  });
  worker.on('error', (error: Error) => {
    onTrouble?.(`the store's worker died: ${error.message}`);
    ready.reject(error);
    end(error);
  });
  worker.on('exit', () => {
    end(new Error('the store is closed'));
    ended.resolve();
  });
  await ready.promise;

  const call = <Name extends keyof Methods>(
    method: Name,
    argument?: Parameters<Methods[Name]>[0],
  ): Promise<ReturnType<Methods[Name]>> => {
    if (over) return Promise.reject(over);
    if (waiting.size >= waitingMax) return Promise.reject(new Error('too many questions wait for the store'));
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    number += 1;
    waiting.set(number, { resolve, reject });
    worker.postMessage({ number, method, argument });
    return promise as Promise<ReturnType<Methods[Name]>>;
  };

  return {
    keys: () => call('keys'),
    saveKey: (record) => call('saveKey', record),
    spend: (query) => call('spend', query),
    costs: (query) => call('costs', query),
    requests: (query) => call('requests', query),
    receipt: (id) => call('receipt', id),
    forget: (before) => call('forget', before),
    catchUp: () => call('catchUp'),
    nudge() {
      if (nudged || over) return;
      nudged = true;
      worker.postMessage('nudge');
    },
    async close() {
      if (!over) worker.postMessage('close');
      await ended.promise;
    },
  };
}
