// A provider's bill as lines of day and model, whichever export it was: usage that is priced here, or costs as billed.

import type { NanoUsd } from '../exchange/money.ts';
import { count, noUsage, type Usage } from '../exchange/usage.ts';

export interface StatementLine {
  /** `2026-11-21`, UTC. */
  readonly day: string;
  /** As the provider names it; empty where the export does not tell models apart. */
  readonly model: string;
  readonly usage?: Usage;
  /** As billed. */
  readonly cost?: NanoUsd;
}

export interface Statement {
  readonly kind: 'openai-usage' | 'openai-costs' | 'anthropic-usage' | 'anthropic-costs' | 'csv';
  /** Every day that the export covers, also those on which nothing was used. */
  readonly days: readonly string[];
  readonly lines: readonly StatementLine[];
}

/** Why a text is no statement, in one sentence. */
export class StatementError extends Error {}

/** Lines and days of one import. */
export const linesMax = 100_000;

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const object = (value: unknown): Json => (isObject(value) ? value : {});
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The JSON of the usage and cost APIs: one page, an array of pages, or the bare buckets. Throws `StatementError`. */
export function readJsonStatement(value: unknown): Statement {
  const pages = Array.isArray(value) ? value : [value];
  const buckets = pages.flatMap((page) => (isObject(page) && Array.isArray(page.data) ? page.data : [page]));
  if (pages.some((page) => object(page).has_more === true) && pages.length === 1)
    throw new StatementError('it is one page of several (has_more is true): fetch the rest and give them as an array');
  const days = new Set<string>();
  const lines: StatementLine[] = [];
  let kind: Statement['kind'] | undefined;
  for (const each of buckets) {
    const bucket = object(each);
    const day = dayOf(bucket.start_time ?? bucket.starting_at);
    if (day === undefined || !Array.isArray(bucket.results))
      throw new StatementError('it has no buckets with a start and results, as the usage and cost APIs answer them');
    days.add(day);
    for (const result of bucket.results) {
      const [found, line] = readResult(object(result), day);
      if (kind !== undefined && found !== kind) throw new StatementError(`it mixes ${kind} with ${found}`);
      kind = found;
      if (line) lines.push(line);
      if (lines.length > linesMax) throw new StatementError(`it has more than ${linesMax} lines`);
    }
  }
  if (kind === undefined) throw new StatementError('its buckets have no results');
  return { kind, days: [...days].sort(), lines };
}

function dayOf(start: unknown): string | undefined {
  const at = typeof start === 'number' ? start * 1000 : Date.parse(text(start));
  return Number.isFinite(at) ? new Date(at).toISOString().slice(0, 10) : undefined;
}

function readResult(result: Json, day: string): [Statement['kind'], StatementLine | undefined] {
  const what = text(result.object);
  if (what === 'organization.costs.result') return ['openai-costs', openaiCost(result, day)];
  if (what === 'organization.usage.completions.result') return ['openai-usage', openaiUsage(result, day)];
  if (what !== '') throw new StatementError(`results of ${what.slice(0, 80)} are not understood here`);
  if ('uncached_input_tokens' in result) return ['anthropic-usage', anthropicUsage(result, day)];
  if ('amount' in result && 'currency' in result) return ['anthropic-costs', anthropicCost(result, day)];
  throw new StatementError('its results are neither usage nor costs of OpenAI or Anthropic');
}

/** A line item is `gpt-4o-2024-08-06, input`; what is no model stands under its own name. */
function openaiCost(result: Json, day: string): StatementLine {
  const { value, currency } = object(result.amount);
  if (text(currency).toLowerCase() !== 'usd') throw new StatementError('its amounts are not in USD');
  const nano = usdToNano(value);
  if (nano === undefined) throw new StatementError('an amount is no number');
  return { day, model: text(result.line_item).split(',')[0]?.trim() ?? '', cost: nano };
}

function openaiUsage(result: Json, day: string): StatementLine {
  const usage = noUsage();
  const input = count(result.input_tokens);
  const cached = count(result.input_cached_tokens);
  const written = count(result.input_cache_write_tokens);
  usage.inputAudio = Math.min(count(result.input_audio_tokens), input - Math.min(input, cached + written));
  usage.cacheRead = Math.min(cached, input);
  usage.cacheWrite5m = Math.min(written, input - usage.cacheRead);
  usage.input = input - usage.cacheRead - usage.cacheWrite5m - usage.inputAudio;
  const output = count(result.output_tokens);
  usage.outputAudio = Math.min(count(result.output_audio_tokens), output);
  usage.output = output - usage.outputAudio;
  const tier = result.batch === true ? 'batch' : text(result.service_tier);
  return { day, model: text(result.model), usage: tier ? { ...usage, tier } : usage };
}

function anthropicUsage(result: Json, day: string): StatementLine {
  const usage = noUsage();
  const written = object(result.cache_creation);
  usage.input = count(result.uncached_input_tokens);
  usage.cacheRead = count(result.cache_read_input_tokens);
  usage.cacheWrite5m = count(written.ephemeral_5m_input_tokens ?? result.cache_creation_5m_input_tokens);
  usage.cacheWrite1h = count(written.ephemeral_1h_input_tokens ?? result.cache_creation_1h_input_tokens);
  usage.output = count(result.output_tokens);
  usage.webSearches = count(object(result.server_tool_use).web_search_requests);
  const tier = text(result.service_tier);
  return {
    day,
    model: text(result.model),
    usage: {
      ...usage,
      ...(tier ? { tier } : {}),
      ...(result.inference_geo === 'us' ? { unknown: { 'inference_geo.us': 1 } } : {}),
    },
  };
}

/** Amounts are cents as decimal text: "123.45" is $1.2345. */
function anthropicCost(result: Json, day: string): StatementLine {
  if (text(result.currency).toUpperCase() !== 'USD') throw new StatementError('its amounts are not in USD');
  const nano = decimalToNano(text(result.amount) || String(result.amount), 2);
  if (nano === undefined) throw new StatementError('an amount is no number');
  return { day, model: text(result.model), cost: nano };
}

function usdToNano(value: unknown): NanoUsd | undefined {
  if (typeof value === 'string') return decimalToNano(value, 0);
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  const nano = Math.round(value * 1e9);
  return Number.isSafeInteger(nano) ? nano : undefined;
}

/** Decimal text, its unit 10^-shift dollars, as nano-USD: rounded at the tenth decimal of a dollar, credits negative. */
export function decimalToNano(written: string, shift: number): NanoUsd | undefined {
  const match = /^\s*(-?)\$?\s*(\d{1,12})(?:\.(\d{1,30}))?\s*$/.exec(written.replaceAll(',', ''));
  if (!match) return undefined;
  const [, sign, whole = '', fraction = ''] = match;
  const digits = 9 - shift;
  const padded = fraction.padEnd(digits + 1, '0');
  const amount = BigInt(whole + padded.slice(0, digits)) + (padded.charCodeAt(digits) >= 53 ? 1n : 0n);
  const nano = Number(sign === '-' ? -amount : amount);
  return Number.isSafeInteger(nano) ? nano : undefined;
}
