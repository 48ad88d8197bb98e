// `as` that leads to no price: such a model is refused at its first request, and a check can say so before.

import type { Catalogue } from '../exchange/rate.ts';
import { createPrices, wayOf } from '../price/price.ts';
import type { Loaded } from './config.ts';
import { createFindings, type Problem } from './problems.ts';

/** A warning each: a later catalogue may know the model. */
export function unpricedWays({ snapshot, declared, locate }: Loaded, catalogue: Catalogue, now: number): Problem[] {
  const findings = createFindings(locate);
  const prices = createPrices(catalogue);
  // As they are written; the rules of the snapshot stand in the same order, by the providers' first names.
  const written = Object.keys(declared.prices ?? {});
  for (const [index, rule] of snapshot.prices.entries()) {
    const match = written[index];
    if (rule.as === undefined || match === undefined) continue;
    const slash = rule.match.indexOf('/');
    const name = rule.match.slice(0, slash);
    const provider = { name, catalogue: snapshot.providers.get(name)?.catalogue ?? '' };
    const target = { provider, model: rule.match.slice(slash + 1) };
    if (prices.rate(target, snapshot.prices, Math.max(now, rule.from ?? 0))) continue;
    const last = wayOf(rule, snapshot.prices).at(-1);
    const where = 'neither in prices nor in the catalogue that comes with this version';
    findings.warning(['prices', match, 'as'], `no price is known of ${last}, ${where}`);
  }
  return findings.warnings;
}
