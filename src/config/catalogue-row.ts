// One model of the price feed as integers: its price history, its long-context tiers, its units.

import type { Rate, RateTier } from '../exchange/rate.ts';
import type { Bucket } from '../exchange/usage.ts';
import { entriesOf, type FeedModel, type FeedPrices } from './feed.ts';
import { overlayFor } from './overlay.ts';

/** A rate and when it holds. Later entries win where several do. */
export interface DatedRate {
  readonly rate: Rate;
  /** Epoch ms. */
  readonly from?: number;
  /** Milliseconds of the UTC day: [start, end), possibly over midnight. */
  readonly hours?: { readonly start: number; readonly end: number };
}

/** How many of a bucket's units a price is for, by the key's last word. */
const perUnit: Readonly<Record<string, number>> = { mtok: 1e6, kcount: 1e3, hours: 3600 };

/** The price keys that a bucket of ours stands for. Keys that are not here price what no codec of ours counts. */
const bucketKeys: Readonly<Record<string, Bucket>> = {
  input_mtok: 'input',
  cache_read_mtok: 'cacheRead',
  cache_audio_read_mtok: 'cacheReadAudio',
  cache_write_mtok: 'cacheWrite5m',
  cache_write_1h_mtok: 'cacheWrite1h',
  input_audio_mtok: 'inputAudio',
  input_image_mtok: 'inputImage',
  output_mtok: 'output',
  output_reasoning_mtok: 'reasoning',
  output_audio_mtok: 'outputAudio',
  output_image_mtok: 'outputImage',
  web_searches_kcount: 'webSearches',
  audio_hours: 'seconds',
  input_audio_hours: 'seconds',
};

/** Price keys that stand for what a provider's usage counts by a name of its own, and that name. */
const feeKeys: Readonly<Record<string, string>> = {
  storage_searches_kcount: 'file_search',
  output_citation_mtok: 'citation_tokens',
};

const dayMs = 86_400_000;

export function compileRows(
  provider: string,
  model: Pick<FeedModel, 'id' | 'prices'>,
  version: string,
): readonly DatedRate[] {
  return entriesOf(model).map(({ constraint, prices }): DatedRate => {
    const { start_date: day, start_time: start, end_time: end } = constraint ?? {};
    const rate = compileRate(provider, model.id, prices, [version, day ?? start].filter(Boolean).join('/'));
    if (day !== undefined) return { rate, from: Date.parse(day) };
    if (start === undefined || end === undefined) return { rate };
    return { rate, hours: { start: timeOfDay(start), end: timeOfDay(end) } };
  });
}

/** The last entry that holds at the moment; before all of them, the first. */
export function rateAt(rows: readonly DatedRate[], at: number): Rate | undefined {
  for (let index = rows.length - 1; index >= 0; index--) {
    const row = rows[index];
    if (row && holds(row, at)) return row.rate;
  }
  return rows[0]?.rate;
}

function holds(row: DatedRate, at: number): boolean {
  if (row.from !== undefined) return at >= row.from;
  if (!row.hours) return true;
  const { start, end } = row.hours;
  const time = ((at % dayMs) + dayMs) % dayMs;
  return end < start ? time >= start || time < end : time >= start && time < end;
}

function compileRate(provider: string, model: string, prices: FeedPrices, version: string): Rate {
  const overlay = overlayFor(provider, model);
  const starts = new Set<number>();
  for (const price of Object.values(prices)) {
    if (typeof price === 'object') for (const tier of price.tiers) if (tier.start > 0) starts.add(tier.start);
  }
  const tier = (above: number): RateTier => ({ above, prices: { ...overlay.prices, ...compilePrices(prices, above) } });
  const fee = prices.requests_kcount;
  const perRequest = typeof fee === 'number' && fee > 0 ? pico(fee, 1e3) : overlay.perRequest;
  const fees = { ...overlay.fees, ...compileFees(prices) };
  return {
    version,
    // The package picks one tier by the input of the request and prices all of it so; none of its rows is progressive.
    longContext: 'whole_request',
    tiers: [tier(0), ...[...starts].sort((left, right) => left - right).map(tier)],
    services: overlay.services,
    ...(overlay.oncePerRequest.length > 0 ? { oncePerRequest: overlay.oncePerRequest } : {}),
    ...(perRequest === undefined ? {} : { perRequest }),
    ...(Object.keys(fees).length > 0 ? { fees } : {}),
    ...(Object.keys(overlay.surcharges).length > 0 ? { surcharges: overlay.surcharges } : {}),
  };
}

function compilePrices(prices: FeedPrices, above: number): Partial<Record<Bucket, number>> {
  const compiled: Partial<Record<Bucket, number>> = {};
  for (const [key, price] of Object.entries(prices)) {
    const unit = unitOf(key);
    if (!unit || price === undefined) continue;
    let amount = typeof price === 'number' ? price : price.base;
    if (typeof price === 'object') {
      for (const tier of [...price.tiers].sort((left, right) => left.start - right.start)) {
        if (tier.start <= above) amount = tier.price;
      }
    }
    // 0 in a feed is a gap, not a price: only the operator says that something is free.
    if (amount > 0) compiled[unit.bucket] = pico(amount, unit.per);
  }
  return compiled;
}

function compileFees(prices: FeedPrices): Record<string, number> {
  const fees: Record<string, number> = {};
  for (const [key, name] of Object.entries(feeKeys)) {
    const price = prices[key];
    const per = perUnit[key.slice(key.lastIndexOf('_') + 1)];
    if (typeof price === 'number' && price > 0 && per) fees[name] = pico(price, per);
  }
  return fees;
}

function unitOf(key: string): { bucket: Bucket; per: number } | undefined {
  const bucket = Object.hasOwn(bucketKeys, key) ? bucketKeys[key] : undefined;
  const per = perUnit[key.slice(key.lastIndexOf('_') + 1)];
  return bucket && per ? { bucket, per } : undefined;
}

/** Whole pico-USD, rounded up where a price is finer; the 1e-6 forgives the float that the price was written in. */
function pico(usd: number, per: number): number {
  return Math.ceil((usd * 1e12) / per - 1e-6);
}

/** `00:30:00Z` or `08:30:00+08:00` as milliseconds of the UTC day; NaN, which never holds, where it is neither. */
function timeOfDay(text: string): number {
  const time = Date.parse(`1970-01-01T${text}`);
  return ((time % dayMs) + dayMs) % dayMs;
}
