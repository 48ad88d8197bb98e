// What a usage costs at a rate: integers all the way, one ceil at the end.

import type { Outline } from '../exchange/outline.ts';
import type { BucketPrices, Cost, Rate, RateTier, ServiceShare } from '../exchange/rate.ts';
import { type Bucket, buckets, inputBuckets, inputTokens, tokenBuckets, type Usage } from '../exchange/usage.ts';

const picoPerNano = 1000;

/** What a service tier scales. */
const scaled: ReadonlySet<Bucket> = new Set(tokenBuckets);

const inward: ReadonlySet<Bucket> = new Set(inputBuckets);

/** Providers' names for the service that the plain prices are for. `auto` in an answer never names a dearer tier. */
const standardServices: ReadonlySet<string> = new Set([
  '',
  'standard',
  'default',
  'auto',
  'on_demand',
  'standard_only',
]);

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

  nanoUsd(): number {
    if (this.#large === 0n) return Math.ceil(this.#small / picoPerNano);
    const pico = this.#large + BigInt(this.#small);
    const nano = (pico + BigInt(picoPerNano) - 1n) / BigInt(picoPerNano);
    return nano > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(nano);
  }
}

export function cost(usage: Usage, rate: Rate): Cost {
  if (rate.free) return { cost: 0, unpriced: [] };
  const unpriced: string[] = [];
  const share = serviceShare(usage.tier, rate, unpriced);
  const sum = new Sum();
  if (rate.perRequest) sum.add(1, rate.perRequest);

  const total = inputTokens(usage);
  const whole = rate.longContext === 'whole_request' ? reachedTier(rate, total) : rate.tiers[0];
  let position = 0;
  for (const bucket of buckets) {
    const used = usage[bucket];
    if (!(used > 0)) continue;
    const count = rate.oncePerRequest?.includes(bucket) ? 1 : Math.ceil(used);
    if (rate.longContext === 'marginal' && rate.tiers.length > 1 && inward.has(bucket)) {
      if (!addMarginal(sum, rate, bucket, position, count, share)) unpriced.push(bucket);
      position += count;
      continue;
    }
    const price = priceOf(whole.prices, bucket, share);
    if (price === undefined) unpriced.push(bucket);
    else sum.add(count, price);
  }
  for (const [field, number] of Object.entries(usage.unknown ?? {})) {
    if (number > 0) unpriced.push(`usage:${field}`);
  }
  return { cost: sum.nanoUsd(), unpriced };
}

/** What a request will or may use that this rate cannot price: text both ways always, the rest as the request shows it. */
export function lacks(outline: Outline, rate: Rate): readonly string[] {
  if (rate.free) return [];
  const missing: string[] = [];
  serviceShare(outline.tier, rate, missing);
  const needed: Bucket[] = ['input', 'output'];
  if (outline.images > 0) needed.push('inputImage');
  if (outline.audio > 0) needed.push('inputAudio');
  if (outline.paidTools.some(isSearch)) needed.push('webSearches');
  for (const bucket of needed) {
    if (rate.tiers.some((tier) => tier.prices[bucket] === undefined)) missing.push(bucket);
  }
  for (const tool of outline.paidTools) if (!isSearch(tool)) missing.push(`tool:${tool.slice(0, 40)}`);
  return missing;
}

/** The web searches of the formats we speak (`web_search_20250305`, `google_search`, ...); searching stored files is another fee. */
function isSearch(tool: string): boolean {
  return /web_?search|google_?search|search_preview|grounding/i.test(tool);
}

function reachedTier(rate: Rate, inputTotal: number): RateTier {
  let reached = rate.tiers[0];
  for (const tier of rate.tiers) if (inputTotal > tier.above) reached = tier;
  return reached;
}

const wholeShare: ServiceShare = [1, 1];

function serviceShare(tier: string | undefined, rate: Rate, unpriced: string[]): ServiceShare {
  if (tier === undefined || standardServices.has(tier)) return wholeShare;
  const share = Object.hasOwn(rate.services, tier) ? rate.services[tier] : undefined;
  if (share) return share;
  unpriced.push(`tier:${tier.slice(0, 40)}`);
  return wholeShare;
}

function priceOf(prices: BucketPrices, bucket: Bucket, share: ServiceShare): number | undefined {
  const price = prices[bucket];
  if (price === undefined || share === wholeShare || !scaled.has(bucket)) return price;
  return Math.ceil((price * share[0]) / share[1]);
}

/** Input buckets lie end to end in the order of `buckets`; each token is priced by where it lies. False where a price is missing. */
function addMarginal(sum: Sum, rate: Rate, bucket: Bucket, from: number, count: number, share: ServiceShare): boolean {
  let complete = true;
  rate.tiers.forEach((tier, index) => {
    const upTo = rate.tiers[index + 1]?.above ?? Number.POSITIVE_INFINITY;
    const inside = Math.min(from + count, upTo) - Math.max(from, tier.above);
    if (inside <= 0) return;
    const price = priceOf(tier.prices, bucket, share);
    if (price === undefined) complete = false;
    else sum.add(inside, price);
  });
  return complete;
}
