// Our own prices beside the catalogue: service tiers, fees the package does not carry, and the built-in provider's play money.
// Every entry names its source and date; what could not be verified is left out, so that it is refused rather than guessed.

import type { BucketPrices, Rate, ServiceShare } from '../exchange/rate.ts';
import type { Bucket } from '../exchange/usage.ts';

/** Raised with every change here: it is part of the version that a charge stores. */
export const overlayVersion = '2026-11-21';

const usd = (perMillion: number): number => Math.round(perMillion * 1e6);
const perThousand = (fee: number): number => Math.round(fee * 1e9);

interface ServiceRow {
  readonly provider: string;
  /** The catalogue's own model ids. */
  readonly models: RegExp;
  readonly services: Readonly<Record<string, ServiceShare>>;
}

const half: ServiceShare = [1, 2];

/** All rows that match are merged, later ones winning. */
const serviceRows: readonly ServiceRow[] = [
  // developers.openai.com/api/docs/pricing: batch is half of every token price, cached input included; flex has the batch price,
  // on these reasoning models. State of 2026-01.
  { provider: 'openai', models: /^(gpt-(3\.5|4|4o|4\.1|5|5\.1|5\.2)(?![0-9.])|o[134])/, services: { batch: half } },
  { provider: 'openai', models: /^(o3|o4-mini|gpt-5|gpt-5-(mini|nano)|gpt-5\.(1|2))$/, services: { flex: half } },
  // openai.com/api-priority-processing, model by model: 4.25/2.125/17 on 2.50/1.25/10 is 17/10, and so on. State of the page
  // that lists gpt-5.5 (2026). It has no price for long context: there the provider answers with, and bills, `default`.
  { provider: 'openai', models: /^gpt-4o$/, services: { priority: [17, 10] } },
  { provider: 'openai', models: /^gpt-4o-mini$/, services: { priority: [5, 3] } },
  { provider: 'openai', models: /^(gpt-4\.1|gpt-4\.1-mini|gpt-4o-2024-05-13|o3)$/, services: { priority: [7, 4] } },
  { provider: 'openai', models: /^gpt-5-mini$/, services: { priority: [9, 5] } },
  {
    provider: 'openai',
    models: /^(gpt-4\.1-nano|gpt-5|gpt-5\.(1|2|4)|gpt-5\.4-mini)$/,
    services: { priority: [2, 1] },
  },
  { provider: 'openai', models: /^gpt-5\.5$/, services: { priority: [5, 2] } },
  // platform.claude.com/docs/en/about-claude/pricing: the batch API halves input, output and cache prices. State of 2026-01.
  // Priority is sold by commitment and has no list price.
  { provider: 'anthropic', models: /^claude-/, services: { batch: half } },
  // ai.google.dev/gemini-api/docs/pricing: batch costs 50 % on every model. State of 2026-09.
  { provider: 'google', models: /^gemini-/, services: { batch: half } },
  // The same page through the catalogue's own comment on this model: "Batch and Flex tiers offer 50% discount". 2026-09.
  { provider: 'google', models: /^gemini-3\.6-flash$/, services: { flex: half } },
  // platform.claude.com/docs/en/build-with-claude/fast-mode: 6 times every token price across the context window on Opus 4.6
  // and 4.7; twice on Opus 5 (the resellers' lists of 2026-07 agree: 10 and 50 on 5 and 25).
  { provider: 'anthropic', models: /^claude-opus-4-[67]$/, services: { fast: [6, 1] } },
  { provider: 'anthropic', models: /^claude-opus-5$/, services: { fast: [2, 1] } },
  // console.groq.com/docs/flex-processing: flex has the on-demand price. State of 2026-01.
  { provider: 'groq', models: /./, services: { flex: [1, 1] } },
];

interface FeeRow {
  readonly provider: string;
  readonly models: RegExp;
  readonly prices: BucketPrices;
  readonly oncePerRequest?: readonly Bucket[];
  readonly perRequest?: number;
  readonly fees?: Readonly<Record<string, number>>;
  readonly surcharges?: Readonly<Record<string, ServiceShare>>;
}

const feeRows: readonly FeeRow[] = [
  // ai.google.dev/gemini-api/docs/pricing, grounding with Google Search past the free allowance: up to Gemini 2.5 a grounded
  // prompt, from Gemini 3 a search query. State of 2026-09.
  {
    provider: 'google',
    models: /^gemini-(1|2)\./,
    prices: { webSearches: perThousand(35) },
    oncePerRequest: ['webSearches'],
  },
  { provider: 'google', models: /^gemini-3/, prices: { webSearches: perThousand(14) } },
  // The same page: grounding with Google Maps, a grounded prompt up to Gemini 2.5. From Gemini 3 each query is billed, which
  // the answer does not count: those are refused until the operator prices them. State of 2026-09.
  { provider: 'google', models: /^gemini-2\./, prices: {}, fees: { googleMapsPrompts: perThousand(25) } },
  // developers.openai.com/api/docs/pricing: the search models of Chat Completions search once in each request, at the price
  // of a web search of models that do not reason; the found text is not charged. The usage does not count it. 2026-01.
  {
    provider: 'openai',
    models: /^gpt-4o(-mini)?-search-preview/,
    prices: { webSearches: 0 },
    perRequest: perThousand(25),
  },
  // The same page: audio of the preview models, which the package lists with their text prices alone. State of 2025-06.
  {
    provider: 'openai',
    models: /^gpt-4o-audio-preview/,
    prices: { inputAudio: usd(40), outputAudio: usd(80) },
  },
  {
    provider: 'openai',
    models: /^gpt-4o-mini-audio-preview/,
    prices: { inputAudio: usd(10), outputAudio: usd(20) },
  },
  // platform.claude.com/docs/en/build-with-claude/data-residency: from Opus 4.6 on, inference pinned to one country costs 1.1
  // times every token price. Older models refuse the parameter. State of 2026-01.
  {
    provider: 'anthropic',
    models: /^claude-(opus-4-[6-9]|opus-5|sonnet-4-[6-9]|sonnet-5|fable|mythos)/,
    prices: {},
    surcharges: { 'inference_geo.us': [11, 10] },
  },
];

interface Overlay {
  readonly services: Readonly<Record<string, ServiceShare>>;
  readonly prices: BucketPrices;
  readonly oncePerRequest: readonly Bucket[];
  readonly perRequest?: number;
  readonly fees: Readonly<Record<string, number>>;
  readonly surcharges: Readonly<Record<string, ServiceShare>>;
}

/** The fees and service tiers that hold for a model of the catalogue. */
export function overlayFor(provider: string, model: string): Overlay {
  const rows = feeRows.filter((row) => row.provider === provider && row.models.test(model));
  const services = serviceRows.filter((row) => row.provider === provider && row.models.test(model));
  const merged = <Value>(parts: readonly (Readonly<Record<string, Value>> | undefined)[]): Record<string, Value> =>
    Object.assign({}, ...parts) as Record<string, Value>;
  const perRequest = rows.find((row) => row.perRequest !== undefined)?.perRequest;
  return {
    services: merged(services.map((row) => row.services)),
    prices: merged(rows.map((row) => row.prices)),
    oncePerRequest: rows.flatMap((row) => row.oncePerRequest ?? []),
    fees: merged(rows.map((row) => row.fees)),
    surcharges: merged(rows.map((row) => row.surcharges)),
    ...(perRequest === undefined ? {} : { perRequest }),
  };
}

/** Play money, dear enough that a short answer costs a visible part of a cent. USD per million tokens. */
const simPrices: Readonly<Record<string, readonly [input: number, output: number]>> = {
  'sim-small': [2, 8],
  'sim-large': [20, 80],
};

export const simModels: readonly string[] = Object.keys(simPrices);

/** Every model name of the built-in provider has a price; an unlisted one costs what the small one does. */
export function simRate(model: string): Rate {
  const [input, output] = (Object.hasOwn(simPrices, model) ? simPrices[model] : undefined) ?? [2, 8];
  return {
    version: `sim@${overlayVersion}`,
    longContext: 'whole_request',
    tiers: [
      {
        above: 0,
        prices: {
          input: usd(input),
          cacheRead: usd(input / 10),
          cacheReadAudio: usd(input / 10),
          cacheWrite5m: usd(input * 1.25),
          cacheWrite1h: usd(input * 2),
          inputAudio: usd(input * 4),
          output: usd(output),
          outputAudio: usd(output * 4),
          outputImage: usd(output * 4),
          webSearches: perThousand(10),
          images: perThousand(40),
          seconds: perThousand(0.1),
        },
      },
    ],
    services: { flex: half, batch: half, priority: [2, 1] },
  };
}
