// The claim on money without which no request can be called. Only the budget room mints one.

import type { Period } from './caller.ts';
import type { NanoUsd } from './money.ts';
import type { BudgetRule } from './policy.ts';
import type { Target } from './target.ts';

declare const minted: unique symbol;

export interface Hold {
  /** Set by `budget` alone: a literal cannot have it, so a wire request cannot be built without a hold. */
  readonly [minted]: true;
  readonly id: string;
  readonly target: Target;
  /** What is set aside now. Grows by top-ups, changes when the hold moves to another target. */
  readonly amount: NanoUsd;
}

/**
 * A scope that a request claims for itself (`run:nightly`, `tag:feature=search`, `end_user:ann`). It adds a limit and
 * lives under the key's team, or the key where it has none: nobody exhausts another's run.
 */
export interface Scoped {
  readonly scope: string;
  /** A limit of this scope's own, beside the configuration's. */
  readonly budget?: { readonly limit: NanoUsd; readonly per: Period; readonly timezone?: string };
}

/** One account against one limit; `limit = available + held + posted`. */
export interface Balance {
  readonly scope: string;
  readonly per: Period;
  readonly limit: NanoUsd;
  readonly posted: NanoUsd;
  readonly held: NanoUsd;
  /** Negative where a request cost more than it held. */
  readonly available: NanoUsd;
  /** Epoch ms; absent for a lifetime. */
  readonly resetsAt?: number;
  /** False where the scope comes from a `kind:*` rule or a claim, and so may be one of very many. */
  readonly named: boolean;
  /** The rule whose limit this is; absent for a key's own budget. */
  readonly rule?: BudgetRule;
}
