// Where price and budget meet an exchange: what to hold, when to ask for more, what to charge.

import { costOf } from './exchange/draft.ts';
import type { NanoUsd } from './exchange/money.ts';
import type { Snapshot } from './exchange/policy.ts';
import type { Rate } from './exchange/rate.ts';
import type { Charge } from './exchange/receipt.ts';
import { Refusal } from './exchange/refusal.ts';
import type { Target } from './exchange/target.ts';
import { inputTokens, noUsage, outputTokens, type Usage } from './exchange/usage.ts';
import type { Exchange, Rooms } from './rooms.ts';
import type { Passed, StreamEnd } from './stream/outcome.ts';
import type { PumpHooks } from './stream/pump.ts';

/** Output tokens of a first hold, before anything is known of the answer. */
const firstHoldTokens = 256;
/** Fewer affordable tokens than this are not worth a call. */
const worthwhileTokens = 16;
/** A top-up buys this many tokens at a time. */
const topUpTokens = 256;

export interface Quote {
  readonly amount: NanoUsd;
  readonly minimum: NanoUsd;
}

/** What one attempt is priced and charged with. */
export interface Tab {
  readonly rooms: Rooms;
  readonly exchange: Exchange;
  readonly target: Target;
  readonly rate: Rate;
}

/** The rate of a target now. Throws `price_unknown` for what would be bought without a price, with the line that mends it. */
export function rateOf(rooms: Rooms, policy: Snapshot, target: Target, outline: Exchange['outline']): Rate {
  const rate = rooms.prices.rate(target, policy.prices, rooms.world.clock.now());
  const lacking = rate ? rooms.prices.lacks(outline, rate) : ['input', 'output'];
  if (rate && lacking.length === 0) return rate;
  const name = `${target.provider.name}/${target.model}`;
  throw new Refusal(
    'price_unknown',
    `No price is known for ${rate ? `${lacking.join(', ')} of ${name}` : name}, so it cannot be paid for. ` +
      `Add it to the configuration, in USD per million tokens (tools: per call):\nprices:\n${rooms.prices.line(target, lacking)}`,
    { facts: { provider: target.provider.name, unpriced: lacking.join(',') } },
  );
}

/** What to hold for an attempt. Throws `budget_exceeded` where not even the least answer fits the request's own maximum. */
export function quote(
  rooms: Rooms,
  rate: Rate,
  outline: Exchange['outline'],
  maxCost = Number.POSITIVE_INFINITY,
): Quote {
  const most = outline.outputLimit ?? Number.POSITIVE_INFINITY;
  const priced = pricing(rooms, rate, outline);
  const price = (tokens: number): NanoUsd => priced(Math.min(tokens, most) * outline.choices);
  const minimum = price(worthwhileTokens);
  if (minimum > maxCost)
    throw new Refusal('budget_exceeded', 'The prompt alone costs more than X-Tollgate-Max-Cost allows.', {
      param: 'X-Tollgate-Max-Cost',
      facts: { minimum_usd: minimum / 1e9 },
    });
  return { amount: Math.min(price(firstHoldTokens), maxCost), minimum };
}

/** What this request costs if its answer has so many tokens, at the service it asks for. */
function pricing(rooms: Rooms, rate: Rate, outline: Exchange['outline']): (output: number) => NanoUsd {
  const usage = {
    ...noUsage(),
    input: rooms.prices.inputTokens(outline),
    ...(outline.tier === undefined ? {} : { tier: outline.tier }),
  };
  return (output) => rooms.prices.cost({ ...usage, output }, rate).cost;
}

/** The output limit that the request's own maximum buys, where it is less than the client's limit; else undefined. */
export function clampFor({ rooms, exchange, rate }: Tab): number | undefined {
  const { asks, draft, outline } = exchange;
  if (asks.maxCost === undefined) return undefined;
  const price = pricing(rooms, rate, outline);
  const perMillion = price(1_000_000) - price(0);
  if (perMillion <= 0) return undefined;
  const left = asks.maxCost - costOf(draft.charges) - price(0);
  const tokens = Math.max(1, Math.floor((left * 1_000_000) / perMillion / outline.choices));
  return tokens < (outline.outputLimit ?? Number.POSITIVE_INFINITY) ? tokens : undefined;
}

/**
 * The meter of a streamed attempt. Runs for every chunk, so that it compares one number and prices only when the next
 * stretch of text begins.
 */
export function meterFor(tab: Tab): PumpHooks['meter'] {
  const { rooms, exchange, target, rate } = tab;
  const { asks, caller, hold } = exchange;
  const price = pricing(rooms, rate, exchange.outline);
  const mark = target.provider.billing.lowWater;
  const stretch = price(topUpTokens) - price(0);
  const earlier = costOf(exchange.draft.charges);
  let nextAt = 0;
  return (characters, usage) => {
    if (characters < nextAt) return undefined;
    nextAt = characters + 200;
    const output = usage
      ? Math.max(usage.output + usage.reasoning, rooms.prices.outputTokens(characters))
      : rooms.prices.outputTokens(characters);
    if (asks.maxCost !== undefined && earlier + price(output) > asks.maxCost)
      return new Refusal('budget_exceeded', 'The stream reached the X-Tollgate-Max-Cost of this request.', {
        param: 'X-Tollgate-Max-Cost',
      });
    const needed = earlier + price(output + mark);
    if (needed <= hold.amount || stretch === 0) return undefined;
    const more = Math.max(stretch, needed - hold.amount);
    const verdict = (raised: boolean): Refusal | undefined =>
      raised || earlier + price(output) < hold.amount ? undefined : rooms.budget.exceeded(hold, caller, more);
    const raised = rooms.budget.topUp(hold, more);
    return raised instanceof Promise ? raised.then(verdict) : verdict(raised);
  };
}

/** What an attempt cost: the provider's own usage where it came, otherwise an estimate that says what it rests on. */
export function chargeFor(tab: Tab, passed: Passed, end: StreamEnd): Charge {
  const { rooms, exchange, target } = tab;
  const { usage, basis } = usageOf(tab, passed, end);
  const rate = rateAnswered(tab, passed);
  const { cost, unpriced } = rooms.prices.cost(usage, rate);
  if (unpriced.length > 0)
    rooms.world.log.error('usage_without_price', {
      request: exchange.draft.id,
      provider: target.provider.name,
      model: target.model,
      buckets: unpriced.join(','),
    });
  return {
    attempt: exchange.draft.attempts,
    provider: target.provider.name,
    model: target.model,
    usage,
    cost,
    priceVersion: rate.version,
    status: passed.status,
    ...(basis === undefined ? {} : { estimated: basis }),
    ...(end.kind === 'whole' ? {} : { failure: failureName(end) }),
  };
}

function usageOf(tab: Tab, passed: Passed, end: StreamEnd): { usage: Usage; basis: Charge['estimated'] } {
  const { prices } = tab.rooms;
  const received = prices.outputTokens(passed.characters);
  const { usage } = passed;
  if (usage && end.kind === 'whole' && believable(usage, passed.characters)) return { usage, basis: undefined };
  if (usage && end.kind === 'whole') return { usage: guess(tab, received), basis: 'received-text' };
  // A stream that was broken off has told its input, and of its output only a beginning.
  if (usage && received <= usage.output + usage.reasoning) return { usage, basis: undefined };
  if (usage) return { usage: { ...usage, output: received - usage.reasoning }, basis: 'received-text' };
  const basis = estimateBasis(passed, end);
  if (basis === undefined) return { usage: noUsage(), basis };
  return { usage: guess(tab, received), basis };
}

function guess({ rooms, exchange }: Tab, output: number): Usage {
  return { ...noUsage(), input: rooms.prices.inputTokens(exchange.outline), output };
}

/** No model takes or makes as many tokens in one request; a count above it is a provider's fault, and no bill. */
const tokensAtMost = 100_000_000;

/** A usage of nothing for an answer of something is none, and neither is one that no model could have. */
function believable(usage: Usage, characters: number): boolean {
  const tokens = inputTokens(usage) + outputTokens(usage);
  return tokens <= tokensAtMost && (tokens > 0 || usage.images > 0 || usage.seconds > 0 || characters === 0);
}

/** Priced at the model that answered, unless the operator set a price for the one that was asked. */
function rateAnswered({ rooms, exchange, target, rate }: Tab, passed: Passed): Rate {
  if (passed.model === undefined || passed.model === target.model || rate.version === 'config') return rate;
  return rooms.prices.rate({ ...target, model: passed.model }, exchange.policy.prices, rooms.world.clock.now()) ?? rate;
}

/** Undefined where nothing can have been billed: the provider refused, or never got the request. */
function estimateBasis(passed: Passed, end: StreamEnd): Charge['estimated'] {
  if (passed.characters > 0 || end.kind === 'whole' || end.kind === 'gone' || end.kind === 'cut')
    return 'received-text';
  const { failure } = end;
  if (failure.from === 'call') return failure.call.sent ? 'maybe-charged' : undefined;
  // A gateway in front of the provider gave up: behind it the model may have worked.
  const { status, kind } = failure.upstream;
  return kind === 'unreadable' || status === 502 || status === 504 ? 'maybe-charged' : undefined;
}

function failureName(end: Exclude<StreamEnd, { kind: 'whole' }>): string {
  if (end.kind === 'gone') return 'client_closed';
  if (end.kind === 'cut') return end.refusal.refusal;
  if (end.failure.from === 'provider') return end.failure.upstream.kind;
  return end.failure.call.clock ? `timeout_${end.failure.call.clock}` : end.failure.call.kind;
}
