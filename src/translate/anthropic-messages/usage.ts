// Usage, both ways. On this wire `input_tokens` excludes whatever was cached, and `output_tokens` includes thinking.

import type { Price } from '../../exchange/codec.ts';
import { count, inputTokens, noUsage, type Usage } from '../../exchange/usage.ts';
import { compact, isObject, type Json, list, object } from '../json.ts';

/** Fields that a bucket covers, that repeat one, or that are free. */
const known = new Set([
  'input_tokens',
  'output_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
  'cache_creation',
  'output_tokens_details',
  'server_tool_use',
  'service_tier',
  'speed',
  'inference_geo',
  'iterations',
  'cost',
  'saved',
]);

/** Members of an object that arrived later stand over earlier ones, but a null says nothing. */
export function mergeUsage(before: Json, after: unknown): Json {
  const merged: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(object(after))) if (value !== null) merged[key] = value;
  return merged;
}

export function decodeUsage(wire: Json): Usage {
  const usage = noUsage();
  const unknown: Record<string, number> = {};
  const thinking = count(object(wire.output_tokens_details).thinking_tokens);
  const output = count(wire.output_tokens);
  usage.input = count(wire.input_tokens);
  usage.reasoning = Math.min(thinking, output);
  usage.output = output - usage.reasoning;
  usage.cacheRead = count(wire.cache_read_input_tokens);
  addCacheWrites(usage, wire);
  addIterations(usage, list(wire.iterations), unknown);
  for (const [name, value] of Object.entries(object(wire.server_tool_use))) {
    if (name === 'web_search_requests') usage.webSearches = count(value);
    else if (name !== 'web_fetch_requests' && count(value) > 0) unknown[`server_tool_use.${name}`] = count(value);
  }
  const tier = wire.speed === 'fast' ? 'fast' : wire.service_tier;
  if (typeof tier === 'string' && tier !== 'standard' && tier !== '') usage.tier = tier;
  // Inference pinned to one country costs a share more, which no bucket can say.
  if (wire.inference_geo === 'us') unknown['inference_geo.us'] = 1;
  for (const [name, value] of Object.entries(wire)) {
    if (!known.has(name) && typeof value === 'number' && value > 0) unknown[name] = count(value);
  }
  if (Object.keys(unknown).length > 0) usage.unknown = unknown;
  return usage;
}

/**
 * The end of a stream repeats the total without its split: what the split does not explain is taken for 5 minutes,
 * unless everything the split knows of was for an hour.
 */
function addCacheWrites(usage: Usage, wire: Json): void {
  const split = object(wire.cache_creation);
  usage.cacheWrite5m = count(split.ephemeral_5m_input_tokens);
  usage.cacheWrite1h = count(split.ephemeral_1h_input_tokens);
  const rest = count(wire.cache_creation_input_tokens) - usage.cacheWrite5m - usage.cacheWrite1h;
  if (rest <= 0) return;
  if (usage.cacheWrite1h > 0 && usage.cacheWrite5m === 0) usage.cacheWrite1h += rest;
  else usage.cacheWrite5m += rest;
}

/**
 * The totals leave out three kinds of pass. A compaction ran on the same model: its tokens join the buckets. An
 * advisor, and a model whose refusal led to a fallback, are other models at other prices: named as unknown.
 */
function addIterations(usage: Usage, iterations: readonly unknown[], unknown: Record<string, number>): void {
  const fellBack = iterations.some((each) => object(each).type === 'fallback_message');
  for (const each of iterations) {
    if (!isObject(each)) continue;
    if (each.type === 'compaction') {
      usage.input += count(each.input_tokens);
      usage.output += count(each.output_tokens);
      usage.cacheRead += count(each.cache_read_input_tokens);
      addCacheWritesOf(usage, each);
    } else if (each.type === 'advisor_message' || (fellBack && each.type === 'message')) {
      for (const field of ['input_tokens', 'output_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens']) {
        const name = `iterations.${each.type}.${field}`;
        if (count(each[field]) > 0) unknown[name] = (unknown[name] ?? 0) + count(each[field]);
      }
    }
  }
}

function addCacheWritesOf(usage: Usage, pass: Json): void {
  const own = noUsage();
  addCacheWrites(own, pass);
  usage.cacheWrite5m += own.cacheWrite5m;
  usage.cacheWrite1h += own.cacheWrite1h;
}

export function encodeUsage(usage: Usage, price: Price | undefined): Json {
  const cacheWrites = usage.cacheWrite5m + usage.cacheWrite1h;
  const cacheReads = usage.cacheRead + usage.cacheReadAudio;
  return compact({
    input_tokens: inputTokens(usage) - cacheReads - cacheWrites,
    cache_creation_input_tokens: cacheWrites,
    cache_read_input_tokens: cacheReads,
    cache_creation: {
      ephemeral_5m_input_tokens: usage.cacheWrite5m,
      ephemeral_1h_input_tokens: usage.cacheWrite1h,
    },
    output_tokens: usage.output + usage.reasoning + usage.outputAudio + usage.outputImage,
    output_tokens_details: usage.reasoning > 0 ? { thinking_tokens: usage.reasoning } : undefined,
    server_tool_use: usage.webSearches > 0 ? { web_search_requests: usage.webSearches } : undefined,
    service_tier: usage.tier === 'fast' ? undefined : (usage.tier ?? 'standard'),
    speed: usage.tier === 'fast' ? 'fast' : undefined,
    ...priceFields(price),
  });
}

/** USD as numbers, the two fields of usage that are the gateway's own. */
export function priceFields(price: Price | undefined): { cost?: number; saved?: number } {
  return price ? { cost: price.cost / 1e9, saved: price.saved / 1e9 } : {};
}
