// Questions about what was spent, and their answers: the shapes between the store's reader and those who show it.

import type { NanoUsd } from './money.ts';
import type { Ending } from './receipt.ts';

export type SpendBy = 'hour' | 'day' | 'key' | 'provider' | 'model';

/** `from` is included, `to` is not; epoch ms, rounded down to whole hours (UTC). */
export interface SpendQuery {
  readonly from?: number;
  readonly to?: number;
  readonly keyId?: string;
  readonly provider?: string;
  readonly model?: string;
  /** One row for each combination; none: one row of totals. */
  readonly by?: readonly SpendBy[];
}

export interface SpendTotals {
  readonly requests: number;
  /** Ended as `failed`, `timed-out` or `crashed`. */
  readonly failed: number;
  readonly cost: NanoUsd;
  readonly saved: NanoUsd;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
}

export interface SpendRow extends SpendTotals {
  /** Start of the hour or day, epoch ms, where asked for. */
  readonly at?: number;
  readonly keyId?: string;
  readonly provider?: string;
  readonly model?: string;
}

export interface CostsAnswer {
  readonly totals: SpendTotals;
  /** Dearest first. */
  readonly byModel: readonly { provider: string; model: string; requests: number; cost: NanoUsd }[];
  readonly byKey: readonly { keyId: string; requests: number; cost: NanoUsd }[];
  /** In order of time. */
  readonly byDay: readonly { at: number; requests: number; cost: NanoUsd }[];
}

/** Newest first. */
export interface RequestsQuery {
  readonly keyId?: string;
  readonly ending?: Ending;
  /** Only receipts older than this id: the last one of the page before. */
  readonly before?: string;
  readonly from?: number;
  readonly to?: number;
  /** At most 1,000; 100 where unset. */
  readonly limit?: number;
}

/** A cost that no request made, in no budget and no total: training, endpoint hours, a vector store, a subscription. */
export interface OtherCost {
  readonly id: string;
  /** First and last day, both included: `2026-11-01`, UTC. */
  readonly from: string;
  readonly to: string;
  readonly amount: NanoUsd;
  readonly kind: string;
  /** Empty where it belongs to none. */
  readonly provider: string;
  readonly note: string;
  readonly tags: Readonly<Record<string, string>>;
}
