// The operator's price rules: which one speaks for a model, and the rate it makes.

import type { PriceRule } from '../exchange/policy.ts';
import type { Rate, RateTier } from '../exchange/rate.ts';

/** What an operator declared free: every bucket costs 0, whatever is used. */
export const freeRate: Rate = {
  version: 'config',
  longContext: 'whole_request',
  tiers: [{ above: 0, prices: {} }],
  services: {},
  free: true,
};

/**
 * The rules that match `provider/model`, the one to ask first in front: an exact name before a wildcard, a longer wildcard
 * before a shorter, of the same name the later `from`, and then the file's order.
 */
export function matchingRules(name: string, rules: readonly PriceRule[]): readonly PriceRule[] {
  return rules
    .filter((rule) => matches(rule.match, name))
    .sort((left, right) => precision(right) - precision(left) || (right.from ?? 0) - (left.from ?? 0));
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

function precision(rule: PriceRule): number {
  return rule.match.endsWith('*') ? rule.match.length : Number.MAX_SAFE_INTEGER;
}

/** Whether a rule only adds to a price that something else knows. */
export function adds(rule: PriceRule): boolean {
  return !rule.free && rule.as === undefined && rule.rates?.input === undefined && rule.rates?.output === undefined;
}

/** `as` may point at something that is itself priced `as` another; beyond this many steps there is no price. */
export const asStepsMax = 4;

/** The names that a rule's `as` leads through, one more than are followed at most. */
export function wayOf(rule: PriceRule, rules: readonly PriceRule[]): readonly string[] {
  const way: string[] = [];
  let step: PriceRule | undefined = rule;
  while (step?.as !== undefined && way.length <= asStepsMax) {
    way.push(step.as);
    step = matchingRules(step.as, rules).find((each) => !adds(each));
  }
  return way;
}

/** The rate of a rule with explicit prices. */
export function ruleRate(rule: PriceRule): Rate {
  return {
    version: 'config',
    longContext: 'whole_request',
    tiers: [{ above: 0, prices: rule.rates ?? {} }],
    services: rule.services ?? {},
    ...(rule.fees ? { fees: rule.fees } : {}),
  };
}

/** A rate with what a rule adds to it: at every size of request, in place of what it had. */
export function extended(rate: Rate, rule: PriceRule): Rate {
  if (rate.free) return rate;
  const extend = (tier: RateTier): RateTier => ({ above: tier.above, prices: { ...tier.prices, ...rule.rates } });
  const [first, ...rest] = rate.tiers;
  return {
    ...rate,
    version: rate.version === 'config' ? rate.version : `${rate.version}+config`,
    tiers: [extend(first), ...rest.map(extend)],
    services: { ...rate.services, ...rule.services },
    ...(rule.fees ? { fees: { ...rate.fees, ...rule.fees } } : {}),
  };
}
