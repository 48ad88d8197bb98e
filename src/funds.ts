// What a hold was made of: the price of a request by its length, and what was asked for.

import type { NanoUsd } from './exchange/money.ts';
import type { Rate } from './exchange/rate.ts';
import type { PromptEstimate } from './meter/prompt.ts';

/** The price of a request by its output tokens, all its choices together. */
export interface PriceLine {
  price(outputTokens: number): NanoUsd;
  /** Whole output tokens that an amount buys behind the prompt: the most whose price it covers; Infinity where output costs nothing. */
  tokensFor(amount: NanoUsd): number;
}

/** What a hold was made of at one target. */
export interface Funds {
  readonly rate: Rate;
  readonly estimate: PromptEstimate;
  readonly line: PriceLine;
  /** What was asked for; a hold that is less was cut to what was left. */
  readonly wanted: NanoUsd;
  /** What is held where money is ample: a stream that got less is clamped to it. */
  readonly usual: NanoUsd;
  readonly minimum: NanoUsd;
}
