// The operator's price rules: which one speaks for a model, and the rate it makes.

import type { PriceRule } from '../exchange/policy.ts';
import type { Rate } from '../exchange/rate.ts';

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

/** The rate of a rule with explicit prices. */
export function ruleRate(rule: PriceRule): Rate {
  return {
    version: 'config',
    longContext: 'whole_request',
    tiers: [{ above: 0, prices: rule.rates ?? {} }],
    services: {},
  };
}
