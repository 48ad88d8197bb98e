// What a usage costs at a rate: integers all the way, one ceil at the end.

import type { Cost, Rate, RateTier, ServiceShare } from '../exchange/rate.ts';
import { type Bucket, buckets, inputBuckets, inputTokens, tokenBuckets, type Usage } from '../exchange/usage.ts';
import { product, standardService, wholeShare } from './share.ts';

const picoPerNano = 1000;

/** `buckets` begins with those of tokens, which services and surcharges scale; these begin with what goes in. */
const scaledBuckets = tokenBuckets.length;
const inwardBuckets = inputBuckets.length;

/** Exact sums of price times count. Plain numbers hold to 2^53 pico-USD ($9,007); what a lying provider counts goes on in BigInt. */
class Sum {
  #small = 0;
  #large = 0n;

  add(count: number, price: number): void {
    const amount = count * price;
    if (amount + this.#small <= Number.MAX_SAFE_INTEGER) {
      this.#small += amount;
      return;
    }
    this.#large += BigInt(this.#small) + BigInt(count) * BigInt(price);
    this.#small = 0;
  }

  /** Undefined where a plain number cannot hold it. */
  get small(): number | undefined {
    return this.#large === 0n ? this.#small : undefined;
  }

  get pico(): bigint {
    return this.#large + BigInt(this.#small);
  }
}

export function cost(usage: Usage, rate: Rate): Cost {
  if (rate.free) return { cost: 0, unpriced: [] };
  const unpriced: string[] = [];
  let share = serviceShare(usage.tier, rate, unpriced);
  const tokens = new Sum();
  const pieces = new Sum();
  if (rate.perRequest) pieces.add(1, rate.perRequest);

  const whole = rate.longContext === 'whole_request' ? reachedTier(rate, inputTokens(usage)) : rate.tiers[0];
  let position = 0;
  for (let place = 0; place < buckets.length; place++) {
    const bucket = buckets[place] as Bucket;
    const used = usage[bucket];
    if (!(used > 0)) continue;
    const count = rate.oncePerRequest?.includes(bucket) ? 1 : Math.ceil(used);
    const sum = place < scaledBuckets ? tokens : pieces;
    if (rate.longContext === 'marginal' && rate.tiers.length > 1 && place < inwardBuckets) {
      if (!addMarginal(sum, rate, bucket, position, count)) unpriced.push(bucket);
      position += count;
      continue;
    }
    const price = whole.prices[bucket];
    if (price === undefined) unpriced.push(bucket);
    else sum.add(count, price);
  }
  for (const name in usage.unknown) {
    const number = usage.unknown[name] ?? 0;
    if (!(number > 0)) continue;
    const fee = own(rate.fees, name);
    const surcharge = own(rate.surcharges, name);
    if (fee !== undefined) pieces.add(Math.ceil(number), fee);
    if (surcharge) share = product(share, surcharge);
    if (fee === undefined && !surcharge) unpriced.push(`usage:${name}`);
  }
  return { cost: nanoUsd(tokens, pieces, share), unpriced };
}

/** Kept as one fraction to the end, so that nothing is rounded before the one ceil. */
function nanoUsd(tokens: Sum, pieces: Sum, [numerator, denominator]: ServiceShare): number {
  const pico = (tokens.small ?? Number.NaN) * numerator + (pieces.small ?? Number.NaN) * denominator;
  // A quotient of whole numbers below 2^53 never rounds to a whole number that it is not.
  if (pico <= Number.MAX_SAFE_INTEGER) return Math.ceil(pico / (picoPerNano * denominator));
  const divisor = BigInt(picoPerNano) * BigInt(denominator);
  const exact = tokens.pico * BigInt(numerator) + pieces.pico * BigInt(denominator);
  const nano = (exact + divisor - 1n) / divisor;
  return nano > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(nano);
}

function own<Value>(record: Readonly<Record<string, Value>> | undefined, name: string): Value | undefined {
  return record && Object.hasOwn(record, name) ? record[name] : undefined;
}

function reachedTier(rate: Rate, inputTotal: number): RateTier {
  let reached = rate.tiers[0];
  for (const tier of rate.tiers) if (inputTotal > tier.above) reached = tier;
  return reached;
}

/** The share of the service's name; what has none is charged whole and named. */
export function serviceShare(tier: string | undefined, rate: Rate, unpriced: string[]): ServiceShare {
  if (tier === undefined || standardService(tier)) return wholeShare;
  const share = own(rate.services, tier);
  if (share) return share;
  unpriced.push(`tier:${tier.slice(0, 40)}`);
  return wholeShare;
}

/** Input buckets lie end to end in the order of `buckets`; each token is priced by where it lies. False where a price is missing. */
function addMarginal(sum: Sum, rate: Rate, bucket: Bucket, from: number, count: number): boolean {
  let complete = true;
  rate.tiers.forEach((tier, index) => {
    const upTo = rate.tiers[index + 1]?.above ?? Number.POSITIVE_INFINITY;
    const inside = Math.min(from + count, upTo) - Math.max(from, tier.above);
    if (inside <= 0) return;
    const price = tier.prices[bucket];
    if (price === undefined) complete = false;
    else sum.add(inside, price);
  });
  return complete;
}
