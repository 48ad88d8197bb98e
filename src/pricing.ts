// What a request costs by the number of its output tokens: a straight line, drawn once from the price book.

import type { NanoUsd } from './exchange/money.ts';
import type { Outline } from './exchange/outline.ts';
import type { Snapshot } from './exchange/policy.ts';
import type { Prices, Rate } from './exchange/rate.ts';
import { Refusal } from './exchange/refusal.ts';
import type { Target } from './exchange/target.ts';
import { type Bucket, noUsage, type Usage } from './exchange/usage.ts';
import type { PriceLine } from './funds.ts';
import type { PromptTokens } from './meter/prompt.ts';
import type { Rooms } from './rooms.ts';

/** The rate of a target now. Throws `price_unknown` for what would be bought without a price, with the line that mends it. */
export function rateOf(rooms: Rooms, policy: Snapshot, target: Target, outline: Outline): Rate {
  const rate = rooms.prices.rate(target, policy.prices, rooms.world.clock.now());
  const lacking = rate ? rooms.prices.lacks(outline, rate) : ['input', 'output'];
  if (rate && lacking.length === 0) return rate;
  const name = nameOf(target);
  throw new Refusal(
    'price_unknown',
    `No price is known for ${rate ? `${lacking.join(', ')} of ${name}` : name}, so it cannot be paid for. ` +
      `Add it to the configuration, in USD per million tokens (tools: per call):\nprices:\n${rooms.prices.line(target, lacking)}`,
    { facts: { provider: target.provider.name, unpriced: lacking.join(',') } },
  );
}

let named: { readonly provider: string; readonly model: string; readonly name: string } | undefined;

/**
 * The name under which things are learned of a model. The last one is kept, since some ten tables look it up for a request
 * and each new text would be put together and hashed anew.
 */
export function nameOf({ provider, model }: Target): string {
  if (named?.provider !== provider.name || named.model !== model)
    named = { provider: provider.name, model, name: `${provider.name}/${model}` };
  return named.name;
}

/** A million tokens tell the price of one to a thousandth of a nano-dollar. */
const many = 1_000_000;

class StraightLine implements PriceLine {
  readonly #base: NanoUsd;
  readonly #perMany: NanoUsd;

  constructor(base: NanoUsd, perMany: NanoUsd) {
    this.#base = base;
    this.#perMany = perMany;
  }

  price(outputTokens: number): NanoUsd {
    return this.#base + Math.ceil((outputTokens * this.#perMany) / many);
  }

  tokensFor(amount: NanoUsd): number {
    if (amount < this.#base) return 0;
    if (this.#perMany === 0 || amount === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
    // Division and multiplication round apart: without the second look a hold of n tokens' price may pay for n - 1.
    const about = Math.floor(((amount - this.#base) / this.#perMany) * many);
    if (this.price(about + 1) <= amount) return about + 1;
    return this.price(about) <= amount ? about : Math.max(0, about - 1);
  }
}

/** The line that begins at this input, whose cost is known where it has just been worked out. */
export function priceLine(
  prices: Prices,
  input: Usage,
  rate: Rate,
  outputs: Outline['outputs'] = [],
  base = prices.cost(input, rate).cost,
): PriceLine {
  const plain = outputs.length === 0 && input.tier === undefined && input.unknown === undefined;
  return new StraightLine(
    base,
    plain ? plainOutput(prices, rate, input, base) : dearestOutput(prices, rate, input, base, outputs),
  );
}

/** What many tokens of plain output cost, for each rate. Only where no length of input makes output dearer. */
const plainOutputs = new WeakMap<Rate, NanoUsd>();

function plainOutput(prices: Prices, rate: Rate, input: Usage, base: NanoUsd): NanoUsd {
  if (rate.tiers.length > 1) return dearestOutput(prices, rate, input, base, []);
  let known = plainOutputs.get(rate);
  if (known === undefined) {
    const nothing = noUsage();
    known = dearestOutput(prices, rate, nothing, prices.cost(nothing, rate).cost, []);
    plainOutputs.set(rate, known);
  }
  return known;
}

/** Output is taken for the dearest of what it may be: text, reasoning, and what is asked for. */
function dearestOutput(
  prices: Prices,
  rate: Rate,
  input: Usage,
  base: NanoUsd,
  outputs: NonNullable<Outline['outputs']>,
): NanoUsd {
  const at = (bucket: Bucket): number => prices.cost({ ...input, [bucket]: many }, rate).cost - base;
  const reasoning = rate.tiers.some(
    ({ prices }) => prices.reasoning !== undefined && prices.reasoning !== prices.output,
  );
  const kinds: Bucket[] = ['output'];
  if (reasoning) kinds.push('reasoning');
  if (outputs.includes('audio')) kinds.push('outputAudio');
  if (outputs.includes('image')) kinds.push('outputImage');
  return Math.max(...kinds.map(at));
}

/** The line that begins at the input that a provider has told. */
export function toldLine(prices: Prices, usage: Usage, rate: Rate, outputs: Outline['outputs']): PriceLine {
  return priceLine(prices, { ...usage, output: 0, reasoning: 0, outputAudio: 0, outputImage: 0 }, rate, outputs);
}

/** What a request chose that makes all of it dearer or cheaper. */
function serviceOf({ tier, surcharges }: Pick<Outline, 'tier' | 'surcharges'>): Pick<Usage, 'tier' | 'unknown'> {
  return {
    ...(tier === undefined ? {} : { tier }),
    ...(surcharges ? { unknown: Object.fromEntries(surcharges.map((name) => [name, 1])) } : {}),
  };
}

/** What a prompt may be written to the cache as. */
export type CacheMark = 'cacheWrite5m' | 'cacheWrite1h';

/** As bytes: as strings they would be encoded anew for each request. */
const markBytes = Buffer.from('cache_control');
const hourBytes = Buffer.from('"1h"');
const escapeBytes = Buffer.from('\\u');

/** The marks of a body. An hour costs more, and is always said; where escapes may hide it, it is taken to be said. */
export function cacheMarksOf(raw: Buffer): readonly CacheMark[] {
  if (!raw.includes(markBytes)) return [];
  return raw.includes(hourBytes) || raw.includes(escapeBytes) ? ['cacheWrite5m', 'cacheWrite1h'] : ['cacheWrite5m'];
}

/**
 * A prompt's tokens as they may be billed at the dearest: a prompt with cache marks may be written to the cache, whose
 * tokens cost up to twice the plain ones. One pricing function for both, so that a reserve is never below its price.
 */
export function dearestInput(
  prices: Prices,
  rate: Rate,
  tokens: PromptTokens,
  outline: Pick<Outline, 'tier' | 'paidTools' | 'surcharges'>,
  marks: readonly CacheMark[],
): { readonly usage: Usage; readonly cost: NanoUsd } {
  const plain = promptUsage(tokens, outline);
  // The least that a search tool costs is one search.
  plain.webSearches = outline.paidTools.length;
  let usage = plain;
  let most = prices.cost(plain, rate).cost;
  for (const bucket of marks) {
    const other: Usage = { ...plain, input: 0, [bucket]: tokens.text };
    const { cost } = prices.cost(other, rate);
    if (cost <= most) continue;
    usage = other;
    most = cost;
  }
  return { usage, cost: most };
}

/** A prompt as it was estimated, in the service that was asked for; no output. */
export function promptUsage(tokens: PromptTokens, outline: Pick<Outline, 'tier' | 'surcharges'>): Usage {
  const usage = noUsage();
  usage.input = tokens.text;
  usage.inputImage = tokens.images;
  usage.inputAudio = tokens.audio;
  if (outline.tier !== undefined || outline.surcharges) Object.assign(usage, serviceOf(outline));
  return usage;
}
