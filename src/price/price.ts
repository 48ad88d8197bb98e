// The price book: which rate applies to a target at a moment, the operator's rules first, then the catalogue.

import type { PriceRule } from '../exchange/policy.ts';
import type { Catalogue, Priced, Prices, Rate } from '../exchange/rate.ts';
import { cost } from './cost.ts';
import { inputTokens } from './estimate.ts';
import { withFallbacks } from './fallback.ts';
import { lacks, priceLine } from './lacks.ts';
import { adds, asStepsMax, extended, freeRate, matchingRules, ruleRate } from './rules.ts';

export { asStepsMax, wayOf } from './rules.ts';

/** Model names come from clients, so remembered answers are dropped whole at this number. */
const rememberedMax = 4096;

/** Our provider names whose catalogue id differs, for the `as: provider/model` of a rule. */
const catalogueIds: Readonly<Record<string, string>> = {
  gemini: 'google',
  vertex: 'google',
  'vertex-anthropic': 'anthropic',
  xai: 'x-ai',
  bedrock: 'aws',
};

export function createPrices(catalogue: Catalogue): Prices {
  const filled = new WeakMap<Rate, Map<string, Rate>>();
  const ofRule = new WeakMap<PriceRule, Rate>();
  const extensions = new WeakMap<Rate, WeakMap<PriceRule, Rate>>();
  const matched = new WeakMap<readonly PriceRule[], Map<string, readonly PriceRule[]>>();

  const rulesFor = (name: string, rules: readonly PriceRule[]): readonly PriceRule[] => {
    let known = matched.get(rules);
    if (!known) {
      known = new Map();
      matched.set(rules, known);
    }
    let found = known.get(name);
    if (!found) {
      if (known.size >= rememberedMax) known.clear();
      found = matchingRules(name, rules);
      known.set(name, found);
    }
    return found;
  };

  const fill = (declared: Rate, provider: string): Rate => {
    let byProvider = filled.get(declared);
    if (!byProvider) {
      byProvider = new Map();
      filled.set(declared, byProvider);
    }
    let rate = byProvider.get(provider);
    if (!rate) {
      rate = withFallbacks(declared, provider);
      byProvider.set(provider, rate);
    }
    return rate;
  };

  const extend = (rate: Rate, rule: PriceRule): Rate => {
    let byRule = extensions.get(rate);
    if (!byRule) {
      byRule = new WeakMap();
      extensions.set(rate, byRule);
    }
    const known = byRule.get(rule) ?? extended(rate, rule);
    byRule.set(rule, known);
    return known;
  };

  const find = (target: Priced, rules: readonly PriceRule[], at: number, steps: number): Rate | undefined => {
    if (rules.length === 0) return declaredRate(target, at);
    const holding = rulesFor(`${target.provider.name}/${target.model}`, rules).filter((each) => (each.from ?? 0) <= at);
    const base = holding.findIndex((rule) => !adds(rule));
    const added = base < 0 ? holding : holding.slice(0, base);
    const rate = baseRate(target, holding[base], rules, at, steps);
    return rate && added.reduceRight(extend, rate);
  };

  const declaredRate = ({ provider, model }: Priced, at: number): Rate | undefined => {
    const declared = catalogue.find(provider.catalogue, model, at);
    return declared && fill(declared, provider.catalogue);
  };

  const baseRate = (
    target: Priced,
    rule: PriceRule | undefined,
    rules: readonly PriceRule[],
    at: number,
    steps: number,
  ): Rate | undefined => {
    const { provider } = target;
    if (!rule) return declaredRate(target, at);
    if (rule.free) return freeRate;
    if (rule.as === undefined) {
      const made = ofRule.get(rule) ?? ruleRate(rule);
      ofRule.set(rule, made);
      return fill(made, provider.catalogue);
    }
    const slash = rule.as.indexOf('/');
    if (steps >= asStepsMax || slash <= 0) return undefined;
    const other = rule.as.slice(0, slash);
    const id = other === provider.name ? provider.catalogue : (catalogueIds[other] ?? other);
    return find({ provider: { name: other, catalogue: id }, model: rule.as.slice(slash + 1) }, rules, at, steps + 1);
  };

  return {
    rate: (target, rules, at) => find(target, rules, at, 0),
    cost,
    lacks,
    line: priceLine,
    inputTokens,
    models: (id) => catalogue.models(id),
  };
}
