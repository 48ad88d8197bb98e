// What the store's two threads say to each other.

import type { BudgetRecord, KeyRecord, Unit } from '../exchange/caller.ts';
import type { Receipt } from '../exchange/receipt.ts';
import type { Signal } from '../exchange/signal.ts';
import type { CostsAnswer, OtherCost, RequestsQuery, SpendQuery, SpendRow } from '../exchange/spend.ts';
import type { Cursor } from './consume.ts';
import type { UnitName } from './records.ts';

/** Where the store lives. A PostgreSQL url holds a password: it is never logged. */
export type Storage =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgres'; readonly url: string };

export interface WorkerData {
  readonly storage: Storage;
  readonly journalFolder: string;
  readonly instance: string;
  /** Number of the last signal that was heard: a worker that follows a dead one misses none. */
  readonly after?: number | undefined;
}

/** What is asked of the worker, by name, with nothing or one thing. */
export interface Methods {
  keys(): Promise<KeyRecord[]>;
  /** Adds a key, or replaces the one of the same id. */
  saveKey(record: KeyRecord): Promise<unknown>;
  units(): Promise<Unit[]>;
  /** Adds a unit, or replaces the one of its kind and id. Rejects with `Taken` where another of its kind has the name. */
  saveUnit(unit: Unit): Promise<unknown>;
  /** Whether there was one. */
  removeUnit(unit: UnitName): Promise<boolean>;
  budgets(): Promise<BudgetRecord[]>;
  /** Adds a budget, or replaces the one of the same id. */
  saveBudget(record: BudgetRecord): Promise<unknown>;
  /** Whether there was one. */
  removeBudget(id: string): Promise<boolean>;
  spend(query: SpendQuery): Promise<SpendRow[]>;
  costs(query: SpendQuery): Promise<CostsAnswer>;
  requests(query: RequestsQuery): Promise<Receipt[]>;
  receipt(id: string): Promise<Receipt | undefined>;
  otherCosts(span: { from?: number; to?: number }): Promise<OtherCost[]>;
  addOtherCosts(entries: readonly OtherCost[]): Promise<number>;
  removeOtherCost(id: string): Promise<boolean>;
  /** Removes receipts older than this (epoch ms) and says how many; sums stay. */
  forget(before: number): Promise<number>;
  /** Resolves once everything is read that was in the journal when it was asked for. */
  catchUp(): Promise<{ cursor: Cursor }>;
  /** What all instances have in common: the value that is there, or this one from now on. */
  secret(wanted: { name: string; value: string }): Promise<string>;
  /** To the other instances; resolves once all that can be reached will hear of it. */
  send(signal: Signal): Promise<void>;
}

export interface Call {
  readonly number: number;
  readonly method: keyof Methods;
  readonly argument: unknown;
}

export type ToWorker = Call | 'close';

export type FromWorker =
  /** Open, and of the newest schema. */
  | { readonly ready: true; readonly after: number | undefined }
  /** It cannot be opened: never, or not now and it is tried again. */
  | { readonly closed: string; readonly forEver: boolean }
  /** Another instance said so. */
  | { readonly signal: Signal; readonly number: number }
  /** Why the journal is not read on, or other instances not heard; undefined once all is well. Said when it changes. */
  | { readonly trouble: string | undefined }
  | { readonly number: number; readonly answer: unknown }
  | { readonly number: number; readonly error: string; readonly taken: boolean };
