// Usage in OpenAI's words and in its dialects' words, to and from the disjoint buckets.

import type { Price } from '../../exchange/codec.ts';
import { count, inputTokens, noUsage, outputTokens, type Usage } from '../../exchange/usage.ts';
import { isObject, type Json, object } from '../json.ts';

/** Names that are inside another bucket, totals, or no count of anything that is sold. */
const accounted = new Set([
  'prompt_tokens',
  'completion_tokens',
  'total_tokens',
  'prompt_cache_hit_tokens',
  'prompt_cache_miss_tokens',
  'cached_tokens',
  'num_cached_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
  'reasoning_tokens',
  'audio_tokens',
  'audio_prompt_tokens',
  'text_tokens',
  'image_tokens',
  'video_tokens',
  'cache_write_tokens',
  'accepted_prediction_tokens',
  'rejected_prediction_tokens',
  'ephemeral_5m_input_tokens',
  'ephemeral_1h_input_tokens',
  'prompt_audio_seconds',
  'web_search_requests',
  'num_search_queries',
  'tool_calls_requested',
  'tool_calls_executed',
]);
const measurement = /time|_sec(ond)?s?$|_ms$|cost|ticks|saved|saving|created|is_byok/;
const ordinaryTiers = new Set(['default', 'standard', 'auto', 'on_demand']);

/**
 * Reads a usage object of any OpenAI-like provider. `tier` is the answer's `service_tier`.
 * Providers disagree on what their totals include; `total_tokens` tells, where they send it.
 */
export function decodeUsage(usage: Json, tier?: unknown): Usage {
  const inputDetails = object(usage.prompt_tokens_details ?? usage.prompt_token_details ?? usage.input_tokens_details);
  const outputDetails = object(
    usage.completion_tokens_details ?? usage.completion_token_details ?? usage.output_tokens_details,
  );
  const prompt = count(usage.prompt_tokens ?? usage.input_tokens);
  const completion = count(usage.completion_tokens ?? usage.output_tokens);
  const reasoning = count(outputDetails.reasoning_tokens) || count(usage.reasoning_tokens);
  const cached = firstCount(
    inputDetails.cached_tokens,
    usage.cached_tokens,
    usage.num_cached_tokens,
    usage.prompt_cache_hit_tokens,
    usage.cache_read_input_tokens,
  );
  const written = firstCount(inputDetails.cache_write_tokens, usage.cache_creation_input_tokens);
  const audio = firstCount(inputDetails.audio_tokens, usage.audio_prompt_tokens);
  const extra = Math.max(0, count(usage.total_tokens) - prompt - completion);
  const besideReasoning = extra >= reasoning && extra > 0 ? reasoning : 0;
  const afterReasoning = extra - besideReasoning;
  // Mistral counts audio beside the prompt, Anthropic-like totals count the cache beside it.
  const audioBeside = audio > 0 && afterReasoning === audio;
  const cacheBeside = cached + written > 0 && (afterReasoning === cached + written || cached + written > prompt);
  // Google's compatible endpoint leaves its thoughts out of everything but the total.
  const hidden = audioBeside || (cacheBeside && afterReasoning === cached + written) ? 0 : afterReasoning;

  const result = noUsage();
  result.cacheRead = cached;
  result.cacheWrite1h = Math.min(written, count(object(usage.cache_creation).ephemeral_1h_input_tokens));
  result.cacheWrite5m = written - result.cacheWrite1h;
  // Audio that was cached is told twice; buckets may not overlap, so each takes what the ones before it left.
  let left = cacheBeside ? prompt : Math.max(0, prompt - cached - written);
  result.inputAudio = audioBeside ? audio : Math.min(audio, left);
  if (!audioBeside) left -= result.inputAudio;
  result.inputImage = Math.min(count(inputDetails.image_tokens), left);
  result.input = left - result.inputImage;
  result.reasoning = reasoning + hidden;
  // More reasoning than completion can only mean that it was counted beside it (Vercel's gateway, xAI).
  const reasoningInside = besideReasoning > 0 || reasoning > completion ? 0 : reasoning;
  const said = completion - reasoningInside;
  result.outputAudio = Math.min(count(outputDetails.audio_tokens), said);
  result.outputImage = Math.min(count(outputDetails.image_tokens), said - result.outputAudio);
  result.output = said - result.outputAudio - result.outputImage;
  result.webSearches =
    count(object(usage.server_tool_use_details ?? usage.server_tool_use).web_search_requests) ||
    count(usage.num_search_queries);
  if (audio === 0) result.seconds = count(usage.prompt_audio_seconds);
  const named = tier ?? usage.service_tier;
  if (typeof named === 'string' && named !== '' && !ordinaryTiers.has(named)) result.tier = named;
  const unknown = unknownCounts(usage);
  if (unknown) result.unknown = unknown;
  return result;
}

function firstCount(...values: readonly unknown[]): number {
  for (const value of values) {
    const number = count(value);
    if (number > 0) return number;
  }
  return 0;
}

function unknownCounts(usage: Json, prefix = '', before?: Record<string, number>): Record<string, number> | undefined {
  let found = before;
  for (const key in usage) {
    if (accounted.has(key)) continue;
    const value = usage[key];
    if (typeof value === 'number' ? !(value > 0) : prefix !== '' || !isObject(value)) continue;
    if (measurement.test(key)) continue;
    if (isObject(value)) found = unknownCounts(value, `${key}.`, found);
    else if (typeof value === 'number') {
      found ??= {};
      found[prefix + key] = value;
    }
  }
  return found;
}

/** OpenAI's shape. Totals include what is cached and what was reasoned, as OpenAI counts. */
export function encodeUsage(usage: Usage, price: Price | undefined): Record<string, unknown> {
  const prompt = inputTokens(usage);
  const completion = outputTokens(usage);
  const written = usage.cacheWrite5m + usage.cacheWrite1h;
  const wire: Record<string, unknown> = {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: {
      cached_tokens: usage.cacheRead + usage.cacheReadAudio,
      audio_tokens: usage.inputAudio,
      ...(written > 0 && { cache_write_tokens: written }),
      ...(usage.inputImage > 0 && { image_tokens: usage.inputImage }),
    },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoning,
      audio_tokens: usage.outputAudio,
      ...(usage.outputImage > 0 && { image_tokens: usage.outputImage }),
    },
  };
  if (usage.cacheWrite1h > 0) {
    wire.cache_creation = {
      ephemeral_5m_input_tokens: usage.cacheWrite5m,
      ephemeral_1h_input_tokens: usage.cacheWrite1h,
    };
  }
  if (usage.webSearches > 0) wire.server_tool_use_details = { web_search_requests: usage.webSearches };
  if (usage.seconds > 0) wire.prompt_audio_seconds = usage.seconds;
  Object.assign(wire, usage.unknown);
  if (price) Object.assign(wire, priceFields(price));
  return wire;
}

/** The fields the gateway adds to a usage, in dollars. */
export function priceFields(price: Price): { cost: number; saved: number } {
  return { cost: price.cost / 1e9, saved: price.saved / 1e9 };
}
