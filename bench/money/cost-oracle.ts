// What a usage costs, a second time: written from the words of the definition, in BigInt, sharing no line with the product.
//
// Money is whole nano-USD, a price is whole pico-USD a token or piece. A cost is the exact sum of count times price;
// tokens are scaled by the fraction of the service that answered, pieces are not; what has no price adds nothing. The one
// rounding is up, to the nano-USD, at the end. Long context is `whole_request` (the tier that the input reaches prices
// every token) or `marginal` (each input token is priced by where it lies; output by the first tier).

import type { Rate } from '../../src/exchange/rate.ts';
import type { Usage } from '../../src/exchange/usage.ts';

const inward = [
  'input',
  'cacheRead',
  'cacheReadAudio',
  'cacheWrite5m',
  'cacheWrite1h',
  'inputAudio',
  'inputImage',
] as const;
const outward = ['output', 'reasoning', 'outputAudio', 'outputImage'] as const;
const pieces = ['webSearches', 'images', 'seconds'] as const;

/** Amounts above this are stated as this. */
const most = 2n ** 53n - 1n;

export function oracleCost(usage: Usage, rate: Rate): bigint {
  if (rate.free === true) return 0n;
  const tiers = rate.tiers.map((tier) => ({ above: BigInt(tier.above), prices: tier.prices }));
  const first = tiers[0];
  if (!first) throw new Error('a rate has at least one tier');
  const whole = (name: (typeof inward)[number] | (typeof outward)[number] | (typeof pieces)[number]): bigint =>
    BigInt(Math.ceil(usage[name]));
  const total = inward.reduce((sum, name) => sum + whole(name), 0n);
  const reached = tiers.filter((tier) => total > tier.above).at(-1) ?? first;
  const flat = rate.longContext === 'whole_request' ? reached : first;

  let tokens = 0n;
  if (rate.longContext === 'whole_request') {
    for (const name of inward) tokens += whole(name) * BigInt(flat.prices[name] ?? 0);
  } else {
    let position = 0n;
    for (const name of inward) {
      const [from, to] = [position, position + whole(name)];
      for (const [index, tier] of tiers.entries()) {
        const start = from > tier.above ? from : tier.above;
        const next = tiers[index + 1]?.above ?? to;
        const end = to < next ? to : next;
        if (end > start) tokens += (end - start) * BigInt(tier.prices[name] ?? 0);
      }
      position = to;
    }
  }
  for (const name of outward) tokens += whole(name) * BigInt(flat.prices[name] ?? 0);

  let fees = BigInt(rate.perRequest ?? 0);
  for (const name of pieces) {
    const used = whole(name) > 0n && rate.oncePerRequest?.includes(name) ? 1n : whole(name);
    fees += used * BigInt(flat.prices[name] ?? 0);
  }
  let [numerator, denominator] = [1n, 1n];
  const service = usage.tier === undefined ? undefined : rate.services[usage.tier];
  if (service) [numerator, denominator] = [BigInt(service[0]), BigInt(service[1])];
  for (const [name, used] of Object.entries(usage.unknown ?? {})) {
    fees += BigInt(Math.ceil(used)) * BigInt(rate.fees?.[name] ?? 0);
    const surcharge = used > 0 ? rate.surcharges?.[name] : undefined;
    if (surcharge) [numerator, denominator] = [numerator * BigInt(surcharge[0]), denominator * BigInt(surcharge[1])];
  }
  const divisor = denominator * 1000n;
  const exact = tokens * numerator + fees * denominator;
  const nano = exact / divisor + (exact % divisor > 0n ? 1n : 0n);
  return nano > most ? most : nano;
}
