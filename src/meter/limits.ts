// Which models keep the output limit that a request gives them, and what an estimate near such a limit is worth.

import { RecentByName } from './recent.ts';

const modelsMax = 1024;
const answersOfModel = 16;
/** Providers count an end mark or a tool's frame that no limit was meant for. */
const slackTokens = 8;
const slackShare = 1.05;
/** An answer that came this near its limit says that the limit was kept; a shorter one says nothing. */
const reached = 0.9;
/** An estimate no further above a limit than this share of it, and than so many tokens, is wrong rather than the provider. */
const errorShare = 0.5;
const errorTokens = 64;

export interface Limits {
  /** False once an answer of `provider/model` was billed for more than its limit, until many others have kept theirs. */
  keeps(name: string): boolean;
  /** The bill of a whole answer whose provider was told this limit. */
  learn(name: string, limit: number, tokens: number): void;
}

export function createLimits(): Limits {
  const passed = new RecentByName(modelsMax, answersOfModel);
  const keeps = (name: string): boolean => (passed.find(name)?.quantile(1) ?? 0) === 0;
  return {
    keeps,
    learn(name, limit, tokens) {
      if (tokens > limit * slackShare + slackTokens) passed.add(name, 1);
      else if (tokens >= limit * reached && !keeps(name)) passed.add(name, 0);
    },
  };
}

/** An estimate of what a provider made that was told to stop at a limit and keeps such limits. */
export function withinLimit(estimate: number, limit: number): number {
  return estimate <= limit + Math.min(limit * errorShare, errorTokens) ? Math.min(estimate, limit) : estimate;
}
