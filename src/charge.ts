// What an attempt is charged: the provider's own usage where it came, otherwise an estimate that says what it rests on.

import { costOf } from './exchange/draft.ts';
import type { Rate } from './exchange/rate.ts';
import type { Charge } from './exchange/receipt.ts';
import type { Target } from './exchange/target.ts';
import { bounded, inputTokens, nameCharacters, noUsage, outputTokens, type Usage } from './exchange/usage.ts';
import { believable, countsSomething, isPlaceholder, possible } from './meter/believable.ts';
import type { Gauge } from './meter/gauge.ts';
import { silentTokensPerSecond } from './meter/growth.ts';
import { withinLimit } from './meter/limits.ts';
import { nameOf, promptUsage, toldLine } from './pricing.ts';
import type { Exchange, Rooms } from './rooms.ts';
import type { Passed, StreamEnd } from './stream/outcome.ts';
import { mayThink } from './thinking.ts';

/** What one attempt is priced and charged with. */
export interface Tab {
  readonly rooms: Rooms;
  readonly exchange: Exchange;
  readonly target: Target;
  readonly rate: Rate;
  /** Counts its answer. */
  readonly gauge: Gauge;
  /** Output tokens that the provider was told to stop at, all choices together. */
  readonly outputLimit: number;
  /** Monotonic ms at which the provider was called; undefined before. */
  dispatchedAt: number | undefined;
}

export function chargeFor(tab: Tab, passed: Passed, end: StreamEnd): Charge {
  const { rooms, exchange, target } = tab;
  const { usage: used, basis } = usageOf(tab, passed, end);
  const usage = bounded(used);
  const rate = rateAnswered(tab, passed);
  const { cost, unpriced } = rooms.prices.cost(usage, rate);
  if (unpriced.length > 0)
    rooms.world.log.error('usage_without_price', {
      request: exchange.draft.id,
      provider: target.provider.name,
      model: target.model,
      buckets: unpriced.join(','),
    });
  if (basis === undefined && end.kind === 'whole') learn(tab, passed, usage);
  const charge: Charge = {
    attempt: exchange.draft.attempts,
    provider: target.provider.name,
    model: target.model,
    usage,
    cost,
    priceVersion: rate.version,
    status: passed.status,
  };
  const pricedAs = rate === tab.rate ? undefined : passed.model;
  if (pricedAs === undefined && basis === undefined && end.kind === 'whole') return charge;
  return {
    ...charge,
    ...(pricedAs === undefined ? {} : { pricedAs }),
    ...(basis === undefined ? {} : { estimated: basis }),
    ...(end.kind === 'whole' ? {} : { failure: failureName(end) }),
  };
}

/** What would be charged if it ended so. */
export function countFor(tab: Tab, passed: Passed, end: StreamEnd): Usage {
  return usageOf(tab, passed, end).usage;
}

function usageOf(tab: Tab, passed: Passed, end: StreamEnd): { usage: Usage; basis: Charge['estimated'] } {
  const whole = end.kind === 'whole' || passed.whole === true;
  if (passed.usage && end.kind === 'whole' && believable(passed.usage, passed.characters))
    return { usage: passed.usage, basis: undefined };
  const received = estimated(tab, passed) + inFlight(tab, passed, end) + unheard(tab, passed, end);
  // What did not end whole is billed by what it told, if that counts something and could be true.
  const heard = passed.usage && possible(passed.usage) ? passed.usage : undefined;
  const usage = heard && ((whole && end.kind !== 'broken') || countsSomething(heard)) ? heard : undefined;
  if (usage && whole && believable(usage, passed.characters)) return { usage, basis: undefined };
  if (usage && whole && isPlaceholder(usage, passed.characters))
    return { usage: { ...usage, output: Math.max(0, received - usage.reasoning) }, basis: 'received-text' };
  if (usage && whole) return { usage: guess(tab, received), basis: 'received-text' };
  // A stream that was broken off has told its input, and of its output only a beginning.
  if (usage && received <= usage.output + usage.reasoning) return { usage, basis: undefined };
  if (usage) return { usage: { ...usage, output: received - usage.reasoning }, basis: 'received-text' };
  const basis = estimateBasis(passed, end);
  if (basis === undefined) return { usage: noUsage(), basis };
  return { usage: guess(tab, received), basis };
}

/**
 * What a provider made in silence before it was hung up on: a whole answer, or thoughts that are not shown. Without it
 * whoever asks and leaves could spend for ever. By time, and never more than is held.
 */
function unheard({ rooms, exchange, target, dispatchedAt }: Tab, passed: Passed, end: StreamEnd): number {
  const { outline, funds, hold, draft } = exchange;
  if (dispatchedAt === undefined || passed.characters > 0 || !isAbandoned(end)) return 0;
  if (outline.stream && !mayThink(rooms.meter, outline, nameOf(target))) return 0;
  const tokens = ((rooms.world.clock.monotonic() - dispatchedAt) / 1000) * silentTokensPerSecond;
  return Math.floor(Math.min(tokens, funds.line.tokensFor(hold.amount - costOf(draft.charges))));
}

/** The provider worked, and whoever asked waited no longer: gone, ended from outside, or at the end of its own time. */
function isAbandoned(end: StreamEnd): boolean {
  if (end.kind !== 'broken') return end.kind !== 'whole';
  return end.failure.from === 'call' && end.failure.call.sent && end.failure.call.clock === 'total';
}

/**
 * What a provider made and nobody received when its stream was cut: as much as the mark that the cut left unused, never
 * more than is held. Without it the budget that ended would lend these tokens to the next request.
 */
function inFlight(tab: Tab, passed: Passed, end: StreamEnd): number {
  if (end.kind !== 'cut' || passed.characters === 0) return 0;
  const { rooms, exchange, target, rate, outputLimit } = tab;
  const { hold, funds, draft } = exchange;
  const line = passed.usage ? toldLine(rooms.prices, passed.usage, rate, exchange.outline.outputs) : funds.line;
  const received = estimated(tab, passed);
  const keeps = received <= outputLimit && rooms.meter.keepsLimit(nameOf(target));
  const most = Math.min(
    keeps ? outputLimit : Number.POSITIVE_INFINITY,
    line.tokensFor(hold.amount - costOf(draft.charges)),
  );
  return Math.max(0, Math.min(target.provider.billing.lowWater, most - received));
}

/** Output tokens by the text received; where the model keeps its limits, within this one. */
function estimated({ rooms, target, gauge, outputLimit }: Tab, { characters }: Passed): number {
  const estimate = gauge.tokens(characters);
  return rooms.meter.keepsLimit(nameOf(target)) ? withinLimit(estimate, outputLimit) : estimate;
}

/** Input as it was estimated for the hold, and so many tokens of output. */
function guess({ exchange }: Tab, output: number): Usage {
  const usage = promptUsage(exchange.funds.estimate, exchange.outline);
  usage.output = output;
  return usage;
}

/** What the bill of a whole answer teaches the meter. */
function learn({ rooms, exchange, target, gauge, outputLimit }: Tab, { characters }: Passed, usage: Usage): void {
  const { caller, outline, funds } = exchange;
  const name = nameOf(target);
  const tokens = outputTokens(usage);
  rooms.meter.learnLength(caller.keyId, name, Math.ceil(tokens / outline.choices), usage.reasoning);
  rooms.meter.learnLimit(name, outputLimit, tokens);
  rooms.meter.learnPrompt(name, outline, funds.estimate, inputTokens(usage));
  // Thoughts are counted and not all shown, results of the provider's own tools are shown and not counted: there, text
  // and count are no measure of each other.
  if (tokens !== usage.output || outline.thinkingBudget !== undefined || outline.paidTools.length > 0) return;
  gauge.learn(characters, tokens);
}

/** Priced at the model that answered, unless the operator set a price for the one that was asked. */
function rateAnswered({ rooms, exchange, target, rate }: Tab, passed: Passed): Rate {
  if (passed.model === undefined || passed.model === target.model || rate.version === 'config') return rate;
  if (passed.model.length > nameCharacters) return rate;
  return rooms.prices.rate({ ...target, model: passed.model }, exchange.policy.prices, rooms.world.clock.now()) ?? rate;
}

/** Undefined where nothing can have been billed: the provider refused, or never got the request. */
function estimateBasis(passed: Passed, end: StreamEnd): Charge['estimated'] {
  if (passed.characters > 0 || end.kind === 'whole') return 'received-text';
  if (end.kind === 'gone' || end.kind === 'cut') return passed.status >= 400 ? basisOf(passed.status) : 'received-text';
  const { failure } = end;
  if (failure.from === 'call') return failure.call.sent ? 'maybe-charged' : undefined;
  const { status, kind } = failure.upstream;
  return kind === 'unreadable' ? 'maybe-charged' : basisOf(status);
}

/** A gateway in front of the provider gave up: behind it the model may have worked. */
function basisOf(status: number): Charge['estimated'] {
  return status === 502 || status === 504 ? 'maybe-charged' : undefined;
}

function failureName(end: Exclude<StreamEnd, { kind: 'whole' }>): string {
  if (end.kind === 'gone') return 'client_closed';
  if (end.kind === 'cut') return end.refusal.refusal;
  if (end.failure.from === 'provider') return end.failure.upstream.kind;
  return end.failure.call.clock ? `timeout_${end.failure.call.clock}` : end.failure.call.kind;
}
