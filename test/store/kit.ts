// What the cases of the store's contract stand on.

import { encodeRow } from '../../src/exchange/journal.ts';
import type { JournalRow, Receipt } from '../../src/exchange/receipt.ts';
import type { Store, StoreOptions } from '../../src/store/store.ts';

export const noon = Date.parse('2026-03-05T12:00:00Z');
export const dayMs = 86_400_000;

export interface Place {
  readonly folder: string;
  /** Path of a segment of the journal. */
  segment(number: number): string;
  /** Opens the case's database, as often as wanted; closed after the case. */
  open(more?: Partial<StoreOptions>): Promise<Store>;
}

export type Cases = Readonly<Record<string, (place: Place) => Promise<void>>>;

export function bytesOf(...rows: (Receipt | JournalRow)[]): Buffer {
  return Buffer.concat(rows.map((row) => encodeRow('type' in row ? row : { type: 'receipt', receipt: row })));
}

export async function total(store: Store): Promise<number> {
  await store.catchUp();
  return (await store.costs({})).totals.cost;
}
