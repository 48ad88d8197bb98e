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
  // console.groq.com/docs/flex-processing: flex has the on-demand price. State of 2026-01.
  { provider: 'groq', models: /./, services: { flex: [1, 1] } },
];

interface FeeRow {
  readonly provider: string;
  readonly models: RegExp;
  readonly prices: BucketPrices;
  readonly oncePerRequest?: readonly Bucket[];
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
];

/** The fees and service tiers that hold for a model of the catalogue. */
export function overlayFor(
  provider: string,
  model: string,
): { services: Readonly<Record<string, ServiceShare>>; prices: BucketPrices; oncePerRequest: readonly Bucket[] } {
  const fees = feeRows.filter((row) => row.provider === provider && row.models.test(model));
  const services = serviceRows.filter((row) => row.provider === provider && row.models.test(model));
  return {
    services: Object.assign({}, ...services.map((row) => row.services)) as Record<string, ServiceShare>,
    prices: Object.assign({}, ...fees.map((row) => row.prices)) as BucketPrices,
    oncePerRequest: fees.flatMap((row) => row.oncePerRequest ?? []),
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
