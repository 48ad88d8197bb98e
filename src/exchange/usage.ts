// Canonical usage: one record of disjoint buckets. Every codec normalises its provider's convention into it.

/**
 * Counts of one attempt. Buckets never overlap: `input` excludes everything cached, audio or image; `output`
 * excludes reasoning, audio and images. Units are tokens unless the name says otherwise.
 */
export interface Usage {
  /** Uncached text input (documents included where the provider does not tell them apart). */
  input: number;
  cacheRead: number;
  /** Cached audio, where the provider tells it from cached text. */
  cacheReadAudio: number;
  cacheWrite5m: number;
  cacheWrite1h: number;
  inputAudio: number;
  inputImage: number;
  output: number;
  reasoning: number;
  outputAudio: number;
  outputImage: number;
  /** Calls of the provider's own paid tools. */
  webSearches: number;
  /** Images made, where they are priced by piece. */
  images: number;
  /** Seconds of audio or compute, where those are priced. */
  seconds: number;
  /** The service tier the provider says it used (`flex`, `priority`, `batch`); absent is standard. */
  tier?: string;
  /**
   * What no bucket covers, by name: fields of the provider's usage, calls of its other tools (`file_search`). Priced
   * where the rate has a fee or a surcharge of that name, otherwise named as unpriced; never 0 in silence.
   */
  unknown?: Readonly<Record<string, number>>;
}

export type Bucket = Exclude<keyof Usage, 'tier' | 'unknown'>;

export const inputBuckets: readonly Bucket[] = [
  'input',
  'cacheRead',
  'cacheReadAudio',
  'cacheWrite5m',
  'cacheWrite1h',
  'inputAudio',
  'inputImage',
];

/** Buckets that count tokens. */
export const tokenBuckets: readonly Bucket[] = [...inputBuckets, 'output', 'reasoning', 'outputAudio', 'outputImage'];

export const buckets: readonly Bucket[] = [...tokenBuckets, 'webSearches', 'images', 'seconds'];

export function noUsage(): Usage {
  return {
    input: 0,
    cacheRead: 0,
    cacheReadAudio: 0,
    cacheWrite5m: 0,
    cacheWrite1h: 0,
    inputAudio: 0,
    inputImage: 0,
    output: 0,
    reasoning: 0,
    outputAudio: 0,
    outputImage: 0,
    webSearches: 0,
    images: 0,
    seconds: 0,
  };
}

/** Every token that went in, cached or not. */
export function inputTokens(usage: Usage): number {
  return (
    usage.input +
    usage.cacheRead +
    usage.cacheReadAudio +
    usage.cacheWrite5m +
    usage.cacheWrite1h +
    usage.inputAudio +
    usage.inputImage
  );
}

/** Every token that came out, reasoning included. */
export function outputTokens(usage: Usage): number {
  return usage.output + usage.reasoning + usage.outputAudio + usage.outputImage;
}

/**
 * A count as a provider sent it, made safe: whole, not negative, at most 2^40. Providers do send strings, nulls,
 * negatives and floats; a lie must not become a credit.
 */
export function count(value: unknown): number {
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number !== 'number' || !(number > 0)) return 0;
  return Math.min(Math.ceil(number), 2 ** 40);
}

/** A provider's own names are no longer than this, and of those that no bucket covers there are no more. */
export const nameCharacters = 200;
const namesAtMost = 32;

/** A usage as it is written down: what a provider makes up must not fill a journal. */
export function bounded(usage: Usage): Usage {
  const { tier, unknown } = usage;
  const names = Object.keys(unknown ?? {});
  const fits = names.length <= namesAtMost && names.every((name) => name.length <= nameCharacters);
  if (fits && (tier === undefined || tier.length <= nameCharacters)) return usage;
  const kept = Object.entries(unknown ?? {}).slice(0, namesAtMost);
  return {
    ...usage,
    ...(tier === undefined ? {} : { tier: tier.slice(0, nameCharacters) }),
    ...(unknown && { unknown: Object.fromEntries(kept.map(([name, each]) => [name.slice(0, nameCharacters), each])) }),
  };
}
