// Which of several targets is tried first: the alias's strategy, then health.

import type { Alias } from '../exchange/policy.ts';
import type { Target } from '../exchange/target.ts';
import type { Random } from '../world/world.ts';
import type { Health } from './health.ts';
import type { Weighted } from './resolve.ts';

export interface OrderBy {
  readonly health: Pick<Health, 'up'>;
  readonly random: Pick<Random, 'fraction'>;
  price(target: Target): number;
}

/** Cooling targets go to the back in their own order: an ill provider is the last hope, not a refusal. */
export function orderTargets(
  targets: readonly Weighted[],
  strategy: Alias['strategy'],
  by: OrderBy,
): readonly Weighted[] {
  if (targets.length < 2) return targets;
  const ordered = arrange(targets, strategy, by);
  const well = ordered.filter((target) => by.health.up(target));
  if (well.length === ordered.length) return ordered;
  return [...well, ...ordered.filter((target) => !well.includes(target))];
}

function arrange(targets: readonly Weighted[], strategy: Alias['strategy'], by: OrderBy): readonly Weighted[] {
  if (strategy === 'failover') return targets;
  if (strategy === 'weighted') return drawn(targets, by.random);
  return targets
    .map((target) => ({ target, price: by.price(target) }))
    .sort((left, right) => (left.price === right.price ? 0 : left.price - right.price))
    .map((each) => each.target);
}

/** A draw without putting back; weight 0 comes only after all others. */
function drawn(targets: readonly Weighted[], random: Pick<Random, 'fraction'>): readonly Weighted[] {
  const left = targets.filter((target) => target.weight > 0);
  const order: Weighted[] = [];
  while (left.length > 0) {
    let point = random.fraction() * left.reduce((sum, target) => sum + target.weight, 0);
    let index = 0;
    for (; index < left.length - 1; index++) {
      point -= left[index]?.weight ?? 0;
      if (point < 0) break;
    }
    order.push(...left.splice(index, 1));
  }
  return [...order, ...targets.filter((target) => !(target.weight > 0))];
}
