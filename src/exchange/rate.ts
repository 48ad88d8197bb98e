// What a model costs at one moment, and the doors by which prices are asked: integers of pico-USD a unit.

import type { NanoUsd } from './money.ts';
import type { Outline } from './outline.ts';
import type { PriceRule } from './policy.ts';
import type { Bucket, Usage } from './usage.ts';

/** 10^12 to the dollar: one dollar per million tokens is 1,000,000 pico-USD a token. */
export type PicoUsd = number;

/** Prices by bucket. A missing bucket has no price of its own, which is not a price of 0. */
export type BucketPrices = Readonly<Partial<Record<Bucket, PicoUsd>>>;

export interface RateTier {
  /** Holds for requests with more input tokens than this, cached ones counted; 0 in the first tier. */
  readonly above: number;
  readonly prices: BucketPrices;
}

/** `[numerator, denominator]` of the standard token prices; fees by piece are not scaled. */
export type ServiceShare = readonly [number, number];

export interface Rate {
  /** Catalogue, its version and the start date of the row, or `config`: stored with each charge, so that it can be reproduced. */
  readonly version: string;
  /**
   * What a higher tier prices. `whole_request`: the tier that the input reaches prices every token of the request.
   * `marginal`: only the input tokens past its start; output stays at the first tier.
   */
  readonly longContext: 'whole_request' | 'marginal';
  /** Ascending by `above`, never empty, the first one above 0. */
  readonly tiers: readonly [RateTier, ...RateTier[]];
  /** Service tiers with a price (`flex`, `priority`, `batch`); the standard one is not listed. */
  readonly services: Readonly<Record<string, ServiceShare>>;
  /** Buckets that are charged once a request, however often they are counted (a grounded prompt). */
  readonly oncePerRequest?: readonly Bucket[];
  /** A fee for the request itself. */
  readonly perRequest?: PicoUsd;
  /** Fees a piece for what `Usage.unknown` counts, by its names. Not scaled by service. */
  readonly fees?: Readonly<Record<string, PicoUsd>>;
  /** What scales every token price, beside the service, where `Usage.unknown` has the name (inference in one country). */
  readonly surcharges?: Readonly<Record<string, ServiceShare>>;
  /** The operator wrote `free`: everything costs 0, on purpose. */
  readonly free?: boolean;
}

/** Where prices come from when the configuration says nothing. */
export interface Catalogue {
  readonly version: string;
  /** The declared prices of a model at an epoch ms; undefined where provider or model is not known exactly. */
  find(provider: string, model: string, at: number): Rate | undefined;
  /** Model ids that a provider's prices list, without the deprecated ones. */
  models(provider: string): readonly string[];
}

/** Whose price is asked: a `Target` is one. */
export interface Priced {
  readonly provider: { readonly name: string; readonly catalogue: string };
  readonly model: string;
}

export interface Cost {
  readonly cost: NanoUsd;
  /** What was used and has no price: bucket names, `tier:NAME`, `usage:FIELD`. Nothing is charged for it but a tier's standard price. */
  readonly unpriced: readonly string[];
}

/** The price book. Pure: the same question has the same answer. */
export interface Prices {
  /** The rate at an epoch ms; undefined is `price_unknown`. A rule of the configuration wins over the catalogue. */
  rate(target: Priced, rules: readonly PriceRule[], at: number): Rate | undefined;
  /** One ceil for the whole attempt. Never throws. */
  cost(usage: Usage, rate: Rate): Cost;
  /** What a request is sure or likely to use that this rate has no price for, in the words of `Cost.unpriced`; refuse unless empty. */
  lacks(outline: Outline, rate: Rate): readonly string[];
  /** The line of the configuration that would price what a target lacks, for the operator to paste and fill in. */
  line(target: Priced, lacking: readonly string[]): string;
  /** Estimated input tokens of a request, on the high side. */
  inputTokens(outline: Outline): number;
  /** Models that the catalogue lists for a provider. */
  models(catalogue: string): readonly string[];
}
