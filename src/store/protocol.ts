// What the store's two threads say to each other.

import type { KeyRecord } from '../exchange/caller.ts';
import type { Receipt } from '../exchange/receipt.ts';
import type { CostsAnswer, RequestsQuery, SpendQuery, SpendRow } from '../exchange/spend.ts';
import type { Cursor } from './consume.ts';

/** The worker's side of the store, by name. */
export interface Methods {
  keys(): KeyRecord[];
  saveKey(record: KeyRecord): void;
  spend(query: SpendQuery): SpendRow[];
  costs(query: SpendQuery): CostsAnswer;
  requests(query: RequestsQuery): Receipt[];
  receipt(id: string): Receipt | undefined;
  forget(before: number): number;
  catchUp(): { cursor: Cursor };
}

export interface Call {
  readonly number: number;
  readonly method: keyof Methods;
  readonly argument: unknown;
}

export type FromWorker =
  | { readonly ready: true }
  /** The journal was read to its end, or a good part of it: nudges count again. */
  | { readonly followed: true }
  | { readonly trouble: string }
  | { readonly number: number; readonly answer: unknown }
  | { readonly number: number; readonly error: string };
