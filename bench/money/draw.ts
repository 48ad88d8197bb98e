// Seeded usages and rates, hostile ones among them: sparse prices, absurd counts, odd fractions.

import type { Rate, ServiceShare } from '../../src/exchange/rate.ts';
import { type Bucket, buckets, noUsage, type Usage } from '../../src/exchange/usage.ts';

export interface Draws {
  below(limit: number): number;
  oneOf<T>(list: readonly [T, ...T[]]): T;
}

/** 100,000 draws take a few milliseconds, which the shrinking kind of generator does not. */
export function draws(seed: number): Draws {
  let state = seed;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(fraction() * limit);
  return { below, oneOf: (list) => list[below(list.length)] ?? list[0] };
}

export function randomUsage(draw: Draws): Usage {
  const usage = noUsage();
  for (const bucket of buckets) {
    const kind = draw.below(20);
    usage[bucket] = kind < 7 ? 0 : kind < 18 ? draw.below(300_000) : kind < 19 ? draw.below(2 ** 31) : 2 ** 40;
  }
  const unknown: Record<string, number> = {};
  if (draw.below(3) === 0) unknown.file_search = draw.below(40);
  if (draw.below(5) === 0) unknown.in_one_country = 1;
  if (draw.below(9) === 0) unknown.never_heard_of = draw.below(1000);
  const tier = draw.oneOf([undefined, 'flex', 'priority', 'surprise']);
  return { ...usage, ...(tier === undefined ? {} : { tier }), ...(Object.keys(unknown).length > 0 ? { unknown } : {}) };
}

function randomPrices(draw: Draws): Partial<Record<Bucket, number>> {
  const list: Partial<Record<Bucket, number>> = {};
  for (const bucket of buckets) if (draw.below(4) > 0) list[bucket] = draw.below(150_000_000);
  return list;
}

export function randomRate(draw: Draws): Rate {
  const starts = new Set(Array.from({ length: draw.below(4) }, () => 1 + draw.below(400_000)));
  const higher = [...starts].sort((left, right) => left - right);
  const services: Record<string, ServiceShare> = { flex: [1, 2], priority: [20, 11] };
  return {
    version: 'drawn',
    longContext: draw.oneOf(['whole_request', 'marginal']),
    tiers: [
      { above: 0, prices: randomPrices(draw) },
      ...higher.map((above) => ({ above, prices: randomPrices(draw) })),
    ],
    services,
    ...(draw.below(2) === 0 ? { fees: { file_search: draw.below(10_000_000_000) } } : {}),
    ...(draw.below(2) === 0 ? { surcharges: { in_one_country: [11, 10] } } : {}),
    ...(draw.below(6) === 0 ? { perRequest: draw.below(30_000_000_000) } : {}),
    ...(draw.below(6) === 0 ? { oncePerRequest: ['webSearches'] } : {}),
  };
}
