// The price feed: the JSON that the genai-prices project publishes, read with distrust. What passes here can be priced from.

import { z } from 'zod';
import { suspiciousPrice } from './units.ts';
import { readValue, type Wrong } from './wrong-values.ts';

/** Where the project publishes it. */
export const feedUrl = 'https://raw.githubusercontent.com/pydantic/genai-prices/main/prices/new_data/v2/data.json';

/** The published file has 0.7 MB. */
export const feedMaxBytes = 16_000_000;
const providersMax = 1000;
const modelsMax = 50_000;

export type Match =
  | { readonly equals: string }
  | { readonly starts_with: string }
  | { readonly ends_with: string }
  | { readonly contains: string }
  | { readonly regex: string }
  | { readonly or: readonly Match[] }
  | { readonly and: readonly Match[] };

export interface TieredPrice {
  readonly base: number;
  readonly tiers: readonly { readonly start: number; readonly price: number }[];
}

/** USD by price key: `input_mtok`, `web_searches_kcount`. */
export type FeedPrices = Readonly<Record<string, number | TieredPrice | undefined>>;

export interface FeedConstraint {
  readonly start_date?: string | undefined;
  readonly start_time?: string | undefined;
  readonly end_time?: string | undefined;
}

export interface DatedPrices {
  readonly constraint?: FeedConstraint | undefined;
  readonly prices: FeedPrices;
}

export interface FeedModel {
  readonly id: string;
  readonly match: Match;
  readonly deprecated?: boolean | undefined;
  readonly prices: FeedPrices | readonly DatedPrices[];
}

export interface FeedProvider {
  readonly id: string;
  readonly fallback_model_providers?: readonly string[] | undefined;
  readonly models: readonly FeedModel[];
}

export type Feed = readonly FeedProvider[];

/** Why a feed is refused, in one sentence. */
export class FeedError extends Error {}

const name = z.string().min(1).max(300);
const usd = z.number().min(0).max(1e9);
const tiered = z.object({
  base: usd,
  tiers: z.array(z.object({ start: z.int().min(0), price: usd })).max(20),
});
const prices = z.record(z.string(), z.union([usd, tiered]));
const date = z.string().regex(/^\d{4}-\d{2}-\d{2}/);
const time = z.string().regex(/^\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/);
const constraint = z
  .object({ start_date: date.optional(), start_time: time.optional(), end_time: time.optional() })
  .refine(
    ({ start_date: day, start_time: from, end_time: to }) =>
      day ? Number.isFinite(Date.parse(day)) && !from && !to : Boolean(from && to),
    'must have start_date, or start_time and end_time',
  );

/** Client text is matched against these: nothing that could run for long on 200 letters. */
function harmless(pattern: string): boolean {
  if (pattern.length > 300 || /\\[1-9k]/.test(pattern) || /\([^)]*[*+{][^)]*\)[*+{]/.test(pattern)) return false;
  if ((pattern.match(/[*+]|\{\d+,\d*\}/g) ?? []).length > 3) return false;
  try {
    new RegExp(pattern);
    return true;
  } catch {
    return false;
  }
}

const match: z.ZodType<Match> = z.lazy(() =>
  z.union([
    z.object({ equals: name }),
    z.object({ starts_with: name }),
    z.object({ ends_with: name }),
    z.object({ contains: name }),
    z.object({ regex: z.string().refine(harmless, 'is no regular expression that may be run') }),
    z.object({ or: z.array(match).min(1).max(200) }),
    z.object({ and: z.array(match).min(1).max(200) }),
  ]),
);

const model = z.object({
  id: name,
  match,
  deprecated: z.boolean().optional(),
  prices: z.union([
    z
      .array(z.object({ constraint: constraint.nullish().transform((value) => value ?? undefined), prices }))
      .min(1)
      .max(200),
    prices,
  ]),
});

const provider = z.object({
  id: z.string().min(1).max(100),
  fallback_model_providers: z.array(z.string()).max(20).optional(),
  models: z.array(model).max(modelsMax),
});

const feed = z.array(provider).min(1).max(providersMax);

/** Throws `FeedError`. `force` lets prices pass that look like a slip of units. */
export function parseFeed(text: string, force = false): Feed {
  if (text.trim() === '') throw new FeedError('it is empty');
  if (text.length > feedMaxBytes) throw new FeedError(`it is larger than ${feedMaxBytes} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FeedError(`it is not JSON: ${error instanceof Error ? error.message.slice(0, 120) : 'unreadable'}`);
  }
  const { data, wrongs } = readValue(feed, value);
  if (wrongs) throw new FeedError(sentenceOf(wrongs[0], value));
  check(data, force);
  return data;
}

function sentenceOf({ path, message }: Wrong, value: unknown): string {
  const [index, , position] = path;
  const row =
    typeof index === 'number'
      ? (value as readonly { id?: unknown; models?: readonly { id?: unknown }[] }[])[index]
      : undefined;
  const names = [row?.id, typeof position === 'number' ? row?.models?.[position]?.id : undefined];
  const where = names
    .filter((each) => typeof each === 'string')
    .join('/')
    .slice(0, 200);
  const place = path.join('.');
  return `${where || 'the feed'}${place ? ` (${place})` : ''}: ${message}`;
}

function check(providers: Feed, force: boolean): void {
  const ids = new Set<string>();
  let priced = 0;
  for (const { id, models } of providers) {
    if (ids.has(id)) throw new FeedError(`${id} is there twice`);
    ids.add(id);
    const known = new Set<string>();
    for (const each of models) {
      if (known.has(each.id)) throw new FeedError(`${id}/${each.id} is there twice`);
      known.add(each.id);
      const entries = entriesOf(each);
      if (entries.some((entry) => Object.keys(entry.prices).length > 0)) priced++;
      if (!force) for (const entry of entries) refuseSlips(`${id}/${each.id}`, entry.prices);
    }
  }
  if (priced === 0) throw new FeedError('it has no prices');
}

/** Units of the price keys, by their last word: how many of the unit a price is for. */
const perToken = 'mtok';

function refuseSlips(name: string, prices: FeedPrices): void {
  for (const [key, price] of Object.entries(prices)) {
    if (price === undefined) continue;
    const amounts = typeof price === 'number' ? [price] : [price.base, ...price.tiers.map((tier) => tier.price)];
    for (const amount of amounts) {
      const tokens = key.endsWith(perToken);
      // USD per million tokens is 10^6 pico-USD each; per thousand pieces 10^9.
      const why = suspiciousPrice(tokens ? amount * 1e6 : amount * 1e9, tokens ? 'token' : 'piece');
      if (why) throw new FeedError(`${name}: ${key} of ${amount} ${why}; it can be forced if it is meant`);
    }
  }
}

/** The price history of a model in the feed's order; later entries win where several hold. */
export function entriesOf(model: Pick<FeedModel, 'prices'>): readonly DatedPrices[] {
  return isHistory(model.prices) ? model.prices : [{ prices: model.prices }];
}

function isHistory(prices: FeedModel['prices']): prices is readonly DatedPrices[] {
  return Array.isArray(prices);
}
