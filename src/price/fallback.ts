// The written rules by which a bucket without a price of its own is priced as another one. There are no others:
// whatever they do not cover is named as unpriced.

import type { BucketPrices, Rate, RateTier } from '../exchange/rate.ts';
import type { Bucket } from '../exchange/usage.ts';

interface FallbackRule {
  readonly bucket: Bucket;
  readonly as: Bucket;
  /** Hundredths of the other bucket's price. */
  readonly percent: number;
  /** Catalogue providers it holds for; everywhere where unset. */
  readonly only?: readonly string[];
  readonly why: string;
}

const fallbackRules: readonly FallbackRule[] = [
  { bucket: 'reasoning', as: 'output', percent: 100, why: 'Every provider bills hidden reasoning as output.' },
  {
    bucket: 'cacheRead',
    as: 'input',
    percent: 100,
    why: 'Without a declared discount a cached token is an input token.',
  },
  {
    bucket: 'cacheReadAudio',
    as: 'cacheRead',
    percent: 100,
    why: 'Cached audio costs what cached text does unless listed apart.',
  },
  {
    bucket: 'cacheReadAudio',
    as: 'input',
    percent: 100,
    why: 'The same without a discount for what is cached.',
  },
  {
    bucket: 'inputImage',
    as: 'input',
    percent: 100,
    why: 'Images are tokenized at the text price unless listed apart.',
  },
  {
    bucket: 'inputAudio',
    as: 'input',
    percent: 100,
    only: ['google'],
    why: "Google's price page lists audio only where it differs from text.",
  },
  {
    bucket: 'cacheWrite5m',
    as: 'input',
    percent: 125,
    only: ['anthropic'],
    why: "Anthropic's prompt caching page: a 5-minute write is 1.25 times the base input price.",
  },
  {
    bucket: 'cacheWrite1h',
    as: 'input',
    percent: 200,
    only: ['anthropic'],
    why: "Anthropic's prompt caching page: a 1-hour write is twice the base input price.",
  },
];

/** The rate with every price that a rule allows filled in, so that costing is a plain look-up. */
export function withFallbacks(rate: Rate, provider: string): Rate {
  const rules = fallbackRules.filter((rule) => !rule.only || rule.only.includes(provider));
  const fill = (tier: RateTier): RateTier => ({ above: tier.above, prices: filledPrices(tier.prices, rules) });
  const [first, ...rest] = rate.tiers;
  return { ...rate, tiers: [fill(first), ...rest.map(fill)] };
}

function filledPrices(declared: BucketPrices, rules: readonly FallbackRule[]): BucketPrices {
  const prices: Partial<Record<Bucket, number>> = { ...declared };
  for (const rule of rules) {
    const base = declared[rule.as];
    if (prices[rule.bucket] === undefined && base !== undefined) {
      prices[rule.bucket] = Math.ceil((base * rule.percent) / 100);
    }
  }
  return prices;
}
