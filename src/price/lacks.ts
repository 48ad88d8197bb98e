// What a request will or may use that a rate cannot price, and the line of the configuration that would price it.

import type { Outline } from '../exchange/outline.ts';
import type { Priced, Rate } from '../exchange/rate.ts';
import type { Bucket } from '../exchange/usage.ts';
import { serviceShare } from './cost.ts';

/** Under which name the usage counts a tool of the request, where it is not the tool's own. */
const countedAs: Readonly<Record<string, string>> = {
  google_maps: 'googleMapsPrompts',
  live_search: 'num_sources_used',
};

/** Text both ways always, the rest as the request shows it. */
export function lacks(outline: Outline, rate: Rate): readonly string[] {
  if (rate.free) return [];
  const missing: string[] = [];
  serviceShare(outline.tier, rate, missing);
  const needed: Bucket[] = ['input', 'output'];
  if (outline.images > 0) needed.push('inputImage');
  if (outline.audio > 0) needed.push('inputAudio');
  if (outline.paidTools.some(isSearch)) needed.push('webSearches');
  if (outline.outputs?.includes('audio')) needed.push('outputAudio');
  // Pictures are priced by their tokens, or by the piece.
  if (outline.outputs?.includes('image') && rate.tiers.some(({ prices }) => prices.images === undefined))
    needed.push('outputImage');
  for (const bucket of needed) {
    if (rate.tiers.some((tier) => tier.prices[bucket] === undefined)) missing.push(bucket);
  }
  for (const name of outline.surcharges ?? [])
    if (!hasFee(rate, name) && !Object.hasOwn(rate.surcharges ?? {}, name)) missing.push(`usage:${name}`);
  for (const tool of outline.paidTools)
    if (!isSearch(tool) && !hasFee(rate, tool)) missing.push(`tool:${tool.slice(0, 40)}`);
  return missing;
}

/** The web searches of the formats we speak (`web_search_20250305`, `google_search`, ...); searching stored files is another fee. */
function isSearch(tool: string): boolean {
  return /web_?search|google_?search|search_preview|grounding/i.test(tool);
}

function hasFee(rate: Rate, tool: string): boolean {
  const fees = rate.fees ?? {};
  return Object.hasOwn(fees, tool) || (Object.hasOwn(countedAs, tool) && Object.hasOwn(fees, countedAs[tool] ?? ''));
}

/** The names of the configuration for the buckets it can price. */
const keys: Readonly<Record<Bucket, string>> = {
  input: 'input',
  cacheRead: 'cache_read',
  cacheReadAudio: 'cache_read_audio',
  cacheWrite5m: 'cache_write_5m',
  cacheWrite1h: 'cache_write_1h',
  inputAudio: 'input_audio',
  inputImage: 'input_image',
  output: 'output',
  reasoning: 'reasoning',
  outputAudio: 'output_audio',
  outputImage: 'output_image',
  webSearches: 'web_search',
  images: 'image',
  seconds: 'second',
};

/** One line of YAML below `prices:`, with zeros where an amount belongs. */
export function priceLine({ provider, model }: Priced, lacking: readonly string[]): string {
  const name = JSON.stringify(`${provider.name}/${model}`);
  const amounts: string[] = [];
  const tools: string[] = [];
  const services: string[] = [];
  for (const each of lacking) {
    const [kind, ...rest] = each.split(':');
    const plain = JSON.stringify(rest.join(':'));
    if (kind === 'tool' || kind === 'usage') tools.push(`${plain}: 0.00`);
    else if (kind === 'tier') services.push(`${plain}: 100%`);
    else if (Object.hasOwn(keys, each)) amounts.push(`${keys[each as Bucket]}: 0.00`);
  }
  if (tools.length > 0) amounts.push(`tools: { ${tools.join(', ')} }`);
  if (services.length > 0) amounts.push(`services: { ${services.join(', ')} }`);
  const hint = lacking.includes('input') ? '   # or { free: true }' : '   # beside the prices that are known';
  return `  ${name}: { ${amounts.join(', ')} }${hint}`;
}
