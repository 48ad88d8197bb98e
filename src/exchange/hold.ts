// The claim on money without which no request can be called. Only the budget room mints one.

import type { NanoUsd } from './money.ts';
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
