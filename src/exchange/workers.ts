// What processes that serve one port together tell and ask each other.

import type { Signal } from './signal.ts';

/** `catalogue`: the price catalogue in the data folder is another. */
export type News = Signal | { readonly kind: 'catalogue' };

/** What can be asked of the others, with the JSON that each answers. */
export interface Asked {
  /** What is in flight. */
  readonly inflight: readonly unknown[];
  /** The Prometheus text. */
  readonly metrics: string;
  /** What `/admin/ledger` answers. */
  readonly ledger: Readonly<Record<string, unknown>>;
}

export interface Replies<Answer> {
  readonly replies: readonly { readonly worker: number; readonly answer: Answer }[];
  /** Who did not answer in time: it dies or is being started again. */
  readonly silent: readonly number[];
}

/** One process of several, as its control plane sees it. */
export interface Workmate {
  /** From 1 to `count`. */
  readonly number: number;
  readonly count: number;
  /** Asks all others. Never rejects: who does not answer within two seconds is silent. */
  gather<What extends keyof Asked>(what: What): Promise<Replies<Asked[What]>>;
}
