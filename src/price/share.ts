// Service tiers as exact fractions of the standard prices, and the names of the standard one.

import type { ServiceShare } from '../exchange/rate.ts';

export const wholeShare: ServiceShare = [1, 1];

/** Providers' names for the service that the plain prices are for. `auto` in an answer never names a dearer tier. */
const standardServices: ReadonlySet<string> = new Set([
  '',
  'standard',
  'default',
  'auto',
  'on_demand',
  'standard_only',
]);

export function standardService(name: string): boolean {
  return standardServices.has(name);
}

/** Both parts of a share stay below a million, so that a product of two is exact. */
export function product(one: ServiceShare, other: ServiceShare): ServiceShare {
  return one === wholeShare ? other : [one[0] * other[0], one[1] * other[1]];
}
