// The times that a provider's requests may take, unless its row or the configuration says otherwise.

import type { Timeouts } from '../exchange/target.ts';

/**
 * Milliseconds. `firstByte` is long because a reasoning model thinks before its first byte; `idle` because some think
 * between two chunks; `total` is the bound that a hung provider cannot pass.
 */
export const defaultTimeouts: Timeouts = { connect: 5_000, firstByte: 120_000, idle: 120_000, total: 1_800_000 };

/** The first byte of an answer that is not streamed is also its last: it may take this many times `firstByte`. */
export const wholeAnswerFactor = 5;
