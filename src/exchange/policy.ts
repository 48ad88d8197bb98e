// The policy of one moment: what the configuration says, resolved. An exchange keeps the one it was born under.

import type { Period } from './caller.ts';
import type { NanoUsd } from './money.ts';
import type { Provider, Target } from './target.ts';

export interface BudgetRule {
  /** `global`, `key:abc`, or `key:*` for each one. */
  readonly scope: string;
  readonly limit: NanoUsd;
  readonly per: Period;
  /** IANA zone in which windows begin; UTC where unset. */
  readonly timezone: string;
  /** Shares of the limit (0.5, 0.8, 1) at which an alert event is raised. */
  readonly alertAt: readonly number[];
  /** Reported when it is passed, and never in the way. */
  readonly soft?: true;
  /** How a stream ends that this budget cuts; `error` where unset. */
  readonly onExhausted?: OnExhausted;
}

/** `error`: an error event that the official libraries raise. `finish`: as if the output limit had been reached. */
export type OnExhausted = 'error' | 'finish';

export interface LimitRule {
  readonly scope: string;
  readonly per: 'minute' | 'hour' | 'day';
  readonly requests?: number;
  readonly tokens?: number;
  readonly concurrency?: number;
}

/** An operator's own price, before the catalogue's. All amounts pico-USD a unit. */
export interface PriceRule {
  /** `provider/model`, with `*` at the end as a wildcard. */
  readonly match: string;
  readonly free?: boolean;
  /** Priced as this other `provider/model`. */
  readonly as?: string;
  /** Without `input` and `output` it adds to what is otherwise known of the model. */
  readonly rates?: Readonly<Partial<Record<import('./usage.ts').Bucket, number>>>;
  /** By the names of `Rate.fees`. */
  readonly fees?: Readonly<Record<string, number>>;
  readonly services?: Readonly<Record<string, readonly [number, number]>>;
  /** Epoch ms from which it holds. */
  readonly from?: number;
}

export interface Alias {
  readonly name: string;
  readonly targets: readonly (Target & { readonly weight: number })[];
  readonly strategy: 'failover' | 'cheapest' | 'weighted';
}

export interface Snapshot {
  /** Short hash of the file's text; `default` without a file. */
  readonly version: string;
  readonly providers: ReadonlyMap<string, Provider>;
  /** Provider names and their synonyms (`google` is `gemini`), in the file's order. */
  readonly synonyms: ReadonlyMap<string, string>;
  readonly aliases: ReadonlyMap<string, Alias>;
  readonly budgets: readonly BudgetRule[];
  readonly limits: readonly LimitRule[];
  readonly prices: readonly PriceRule[];
}
