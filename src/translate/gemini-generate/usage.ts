// Gemini's token counts and the canonical buckets, in both directions.

import type { Price } from '../../exchange/codec.ts';
import { count, inputTokens, noUsage, type Usage } from '../../exchange/usage.ts';
import { camel, enumOf, type Fields, field, fieldsOf, generation, listOf, modalities, textOf } from './wire.ts';

const known = new Set([
  'promptTokenCount',
  'cachedContentTokenCount',
  'candidatesTokenCount',
  'responseTokenCount',
  'toolUsePromptTokenCount',
  'thoughtsTokenCount',
  'totalTokenCount',
  'cost',
  'saved',
]);

/** Enums, which integer encoding makes look like counts. */
const enums = new Set(['trafficType', 'serviceTier']);

const tiers: Readonly<Record<string, string>> = {
  FLEX: 'flex',
  PRIORITY: 'priority',
  BATCH: 'batch',
  ON_DEMAND_FLEX: 'flex',
  ON_DEMAND_PRIORITY: 'priority',
};

/**
 * `promptTokenCount` includes what came from the cache; what tools put into the prompt and thoughts stand beside the
 * other counts. Details by modality are trusted only as far as the totals cover them.
 */
export function decodeUsage(metadata: Fields): Usage {
  const usage = noUsage();
  const prompt = count(field(metadata, 'promptTokenCount'));
  const cached = Math.min(count(field(metadata, 'cachedContentTokenCount')), prompt);
  const tools = count(field(metadata, 'toolUsePromptTokenCount'));
  const inputs = byModality(field(metadata, 'promptTokensDetails'));
  const cachedInputs = byModality(field(metadata, 'cacheTokensDetails'));
  const toolInputs = byModality(field(metadata, 'toolUsePromptTokensDetails'));
  const fresh = prompt - cached;
  usage.cacheReadAudio = Math.min(cached, cachedInputs.AUDIO);
  usage.cacheRead = cached - usage.cacheReadAudio;
  usage.inputAudio = Math.min(fresh, Math.max(0, inputs.AUDIO - cachedInputs.AUDIO));
  usage.inputImage = Math.min(fresh - usage.inputAudio, Math.max(0, inputs.IMAGE - cachedInputs.IMAGE));
  usage.input = fresh - usage.inputAudio - usage.inputImage;
  const toolAudio = Math.min(tools, toolInputs.AUDIO);
  const toolImage = Math.min(tools - toolAudio, toolInputs.IMAGE);
  usage.inputAudio += toolAudio;
  usage.inputImage += toolImage;
  usage.input += tools - toolAudio - toolImage;
  decodeOutput(metadata, usage, prompt + tools);
  const tier = tierOf(metadata);
  if (tier !== undefined) usage.tier = tier;
  return usage;
}

/**
 * A stream's counts so far: each chunk's are cumulative, but some name only a few of them, or none but the traffic type.
 * The same object comes back where nothing was counted.
 */
export function mergeMetadata(before: Fields, metadata: unknown): Fields {
  const fresh = Object.entries(fieldsOf(metadata)).filter(([, value]) => value !== null);
  const counts = fresh.some(([name]) => known.has(camel(name)));
  return counts ? { ...before, ...Object.fromEntries(fresh.map(([name, value]) => [camel(name), value])) } : before;
}

function decodeOutput(metadata: Fields, usage: Usage, before: number): void {
  const outputs = byModality(field(metadata, 'candidatesTokensDetails') ?? field(metadata, 'responseTokensDetails'));
  const told = field(metadata, 'candidatesTokenCount') ?? field(metadata, 'responseTokenCount');
  const thoughts = count(field(metadata, 'thoughtsTokenCount'));
  const total = count(field(metadata, 'totalTokenCount'));
  // Without a count of the answer, the total still tells it.
  let answer = told === undefined ? Math.max(0, total - before - thoughts) : count(told);
  // Some early answers counted the thoughts inside the candidates: then the total is whole without them.
  if (thoughts > 0 && total > 0 && answer >= thoughts && total === before + answer) answer -= thoughts;
  usage.reasoning = thoughts;
  usage.outputAudio = Math.min(answer, outputs.AUDIO);
  usage.outputImage = Math.min(answer - usage.outputAudio, outputs.IMAGE);
  usage.output = answer - usage.outputAudio - usage.outputImage;
  const unknown: Record<string, number> = {};
  for (const [name, value] of Object.entries(metadata)) {
    if (typeof value === 'number' && value > 0 && !known.has(camel(name)) && !enums.has(camel(name)))
      unknown[name] = value;
  }
  if (Object.keys(unknown).length > 0) usage.unknown = unknown;
}

function byModality(details: unknown): { AUDIO: number; IMAGE: number } {
  const sums = { AUDIO: 0, IMAGE: 0 };
  for (const each of listOf(details)) {
    const detail = fieldsOf(each);
    const modality = enumOf(detail.modality, modalities);
    if (modality === 'AUDIO' || modality === 'IMAGE') sums[modality] += count(field(detail, 'tokenCount'));
  }
  return sums;
}

function tierOf(metadata: Fields): string | undefined {
  const tier = textOf(field(metadata, 'serviceTier')) ?? textOf(field(metadata, 'trafficType'));
  return tier === undefined ? undefined : tiers[tier.toUpperCase().replace(/^SERVICE_TIER_/, '')];
}

/**
 * Searches that are billed beside the tokens. Up to generation 2.5 a grounded prompt costs one search however many
 * queries it took; from generation 3 on each query that is not empty is billed.
 */
export function searches(candidates: readonly unknown[], model: string): number {
  let queries = 0;
  for (const each of candidates) {
    const grounding = fieldsOf(field(fieldsOf(each), 'groundingMetadata'));
    queries += listOf(field(grounding, 'webSearchQueries')).filter((query) => textOf(query)?.trim()).length;
  }
  return queries > 0 && generation(model) < 3 ? 1 : queries;
}

/** Answers grounded in Google Maps, which has a price of its own that no bucket covers. */
export function mapsPrompts(candidates: readonly unknown[]): number {
  const grounded = candidates.some((each) =>
    listOf(field(fieldsOf(field(fieldsOf(each), 'groundingMetadata')), 'groundingChunks')).some(
      (chunk) => fieldsOf(chunk).maps !== undefined,
    ),
  );
  return grounded ? 1 : 0;
}

export function withSearches(usage: Usage, webSearches: number, maps: number): Usage {
  if (webSearches === 0 && maps === 0) return usage;
  return { ...usage, webSearches, ...(maps > 0 ? { unknown: { ...usage.unknown, googleMapsPrompts: maps } } : {}) };
}

export function encodeUsage(usage: Usage, price: Price | undefined): Record<string, unknown> {
  const answer = usage.output + usage.outputAudio + usage.outputImage;
  const prompt = inputTokens(usage);
  const cached = usage.cacheRead + usage.cacheReadAudio;
  const promptDetails = details(prompt, usage.inputAudio + usage.cacheReadAudio, usage.inputImage);
  const answerDetails = details(answer, usage.outputAudio, usage.outputImage);
  return {
    promptTokenCount: prompt,
    ...(cached > 0 ? { cachedContentTokenCount: cached } : {}),
    candidatesTokenCount: answer,
    ...(usage.reasoning > 0 ? { thoughtsTokenCount: usage.reasoning } : {}),
    totalTokenCount: prompt + answer + usage.reasoning,
    ...(promptDetails ? { promptTokensDetails: promptDetails } : {}),
    // Without a mark of their own the cached tokens would be taken for media, so their kind is told too.
    ...(promptDetails && cached > 0 ? { cacheTokensDetails: details(cached, usage.cacheReadAudio, 0, true) } : {}),
    ...(answerDetails ? { candidatesTokensDetails: answerDetails } : {}),
    ...(usage.tier === undefined ? {} : { serviceTier: usage.tier }),
    ...(price ? { cost: price.cost / 1e9, saved: price.saved / 1e9 } : {}),
  };
}

function details(total: number, audio: number, image: number, always = false): object[] | undefined {
  if (audio === 0 && image === 0 && !always) return undefined;
  return [
    { modality: 'TEXT', tokenCount: total - audio - image },
    { modality: 'AUDIO', tokenCount: audio },
    { modality: 'IMAGE', tokenCount: image },
  ].filter((each) => each.tokenCount > 0);
}
