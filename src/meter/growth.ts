// How much a hold grows at a time: little where money is scarce, more where a stream is long and money ample, so that
// a long stream does not write the journal every 256 tokens.

import type { Clock } from '../world/world.ts';

/** The first growth of a stream, in tokens; it doubles while growths follow each other closely. */
const firstTokens = 256;
const mostTokens = 8192;
const closelyMs = 10_000;
/** No growth takes more than this share of what is left, so that many streams end whole rather than one. */
const shareOfLeft = 32;
const leastTokens = 64;
/** Tokens a second that a model may make in silence: thoughts, or an answer that comes whole. */
export const silentTokensPerSecond = 100;

export interface Growth {
  /** Tokens to ask for where so much money is left. */
  next(line: { price(tokens: number): number; tokensFor(amount: number): number }, left: number): number;
  /** What was asked for was given. */
  granted(): void;
}

export function createGrowth(clock: Pick<Clock, 'monotonic'>): Growth {
  let tokens = firstTokens;
  let grantedAt = Number.NEGATIVE_INFINITY;
  return {
    next(line, left) {
      const share = line.tokensFor(line.price(0) + left / shareOfLeft);
      return Math.max(leastTokens, Math.min(tokens, share));
    },
    granted() {
      const now = clock.monotonic();
      if (now - grantedAt < closelyMs) tokens = Math.min(mostTokens, tokens * 2);
      grantedAt = now;
    },
  };
}
