// How much a request sets aside, and the output limit that goes with it: the first hold, its move, and the clamp.

import type { HoldWants } from './budget/ledger.ts';
import { exactPrompt } from './exact-count.ts';
import type { RequestBody } from './exchange/codec.ts';
import { costOf } from './exchange/draft.ts';
import type { Hold } from './exchange/hold.ts';
import type { NanoUsd } from './exchange/money.ts';
import type { Outline } from './exchange/outline.ts';
import { Refusal } from './exchange/refusal.ts';
import type { Target } from './exchange/target.ts';
import type { Funds } from './funds.ts';
import type { PromptEstimate } from './meter/prompt.ts';
import { cacheMarksOf, dearestInput, nameOf, priceLine, rateOf } from './pricing.ts';
import type { Exchange, Rooms } from './rooms.ts';
import { thinkingWithin } from './thinking.ts';

/** Output tokens of a first hold, before anything is known of the answers. */
const firstTokens = 256;
/** Fewer affordable tokens than this are not worth a call. */
const worthwhileTokens = 16;
/** No model puts out more in one answer: what a request without a limit may come to. */
export const longestAnswer = 131_072;
/** A whole answer holds its worst case, so that it may have no more than this share of what is left. */
const shareOfWhole = 32;
/**
 * With fewer first holds left than this the end of a budget is near: fewer are let in, each with what nine of ten answers
 * take, since one that is cut for want of a top-up was paid for and is of no use.
 */
const scarceHolds = 512;
/** Exact counts are prepared for once less than so many holds are left. */
const warmBelow = 16;

/** What admission knows of a request. */
export interface Admission extends Omit<HoldWants, 'amount' | 'minimum'> {
  readonly policy: Exchange['policy'];
  readonly outline: Outline;
  readonly request: RequestBody;
  readonly maxCost?: NanoUsd | undefined;
}

/** A request that may be sent. */
export interface Admitted {
  readonly hold: Hold;
  readonly funds: Funds;
}

/**
 * Takes the first hold; a promise where somebody must be asked first. Refuses with `budget_exceeded` only after the prompt
 * has been counted exactly, where that can be.
 */
export function admit(rooms: Rooms, wants: Admission): Admitted | Promise<Admitted> {
  const funds = fundsFor(rooms, wants);
  try {
    const taken = take(rooms, wants, funds);
    if (!(taken instanceof Promise)) return { hold: taken, funds };
    return taken.then(
      (hold) => ({ hold, funds }),
      (error: unknown) => admitCounted(rooms, wants, funds, error),
    );
  } catch (error) {
    return admitCounted(rooms, wants, funds, error);
  }
}

function take(rooms: Rooms, wants: Admission, funds: Funds): Hold | Promise<Hold> {
  const { maxCost, id, caller, target, budgets, extra, about } = wants;
  const { wanted: amount, minimum } = within(funds, maxCost);
  return rooms.budget.hold({ id, caller, target, amount, minimum, budgets, extra, about });
}

/** Once more with the prompt's exact count, after a refusal for want of money. */
async function admitCounted(rooms: Rooms, wants: Admission, before: Funds, error: unknown): Promise<Admitted> {
  if (!(error instanceof Refusal) || error.refusal !== 'budget_exceeded') throw error;
  const text = await exactPrompt(rooms, nameOf(wants.target), wants.request.body, before.estimate.text);
  if (text === undefined) throw error;
  const funds = fundsFor(rooms, wants, { ...before.estimate, text });
  return { hold: await take(rooms, wants, funds), funds };
}

/** Puts the hold on another target. What earlier attempts cost stays on it: it is charged whatever becomes of the next. */
export async function moveFunds(rooms: Rooms, exchange: Exchange, target: Target): Promise<void> {
  const { caller, draft, hold, asks } = exchange;
  const wants = { ...exchange, target, budgets: rooms.budgets(), id: draft.id };
  const earlier = costOf(draft.charges);
  const maxCost = asks.maxCost === undefined ? undefined : Math.max(0, asks.maxCost - earlier);
  const move = async (whole: Funds): Promise<boolean> => {
    if (maxCost !== undefined && whole.minimum > maxCost) return false;
    const funds = { ...whole, ...within(whole, maxCost) };
    const left = Math.max(0, rooms.budget.available(wants) + hold.amount - earlier);
    const least = Math.min(funds.minimum, funds.wanted);
    if (!(await rooms.budget.move(hold, target, earlier + Math.max(least, Math.min(funds.wanted, left))))) return false;
    exchange.funds = funds;
    await rooms.budget.written();
    return true;
  };
  const funds = fundsFor(rooms, wants);
  if (await move(funds)) return;
  const text = await exactPrompt(rooms, nameOf(target), exchange.request.body, funds.estimate.text);
  if (text !== undefined && (await move(fundsFor(rooms, wants, { ...funds.estimate, text })))) return;
  within(funds, maxCost);
  throw rooms.budget.exceeded(hold, caller, earlier + funds.minimum);
}

function fundsFor(rooms: Rooms, wants: Admission, counted?: PromptEstimate): Funds {
  const { caller, target, policy, outline } = wants;
  const { raw } = wants.request;
  const rate = rateOf(rooms, policy, target, outline);
  const name = nameOf(target);
  const estimate = counted ?? rooms.meter.prompt(name, outline, raw);
  const input = dearestInput(rooms.prices, rate, estimate, outline, cacheMarksOf(raw));
  const line = priceLine(rooms.prices, input.usage, rate, outline.outputs, input.cost);
  const keeps = rooms.meter.keepsLimit(name);
  const limit = (keeps ? outline.outputLimit : undefined) ?? longestAnswer;
  const left = rooms.budget.available(wants);
  const scarce = left < line.price(firstTokens * outline.choices) * scarceHolds;
  const known = scarce ? rooms.meter.longLength(caller.keyId, name) : rooms.meter.usualLength(caller.keyId, name);
  // With the low-water mark on top: such an answer ends before more has to be asked for.
  const expected = known === undefined ? 0 : known + target.provider.billing.lowWater;
  // The first answers to end are the shortest: what was learned of them alone would let too many in.
  const least = scarce ? 2 * firstTokens : firstTokens;
  const first = Math.max(least, expected) * outline.choices;
  const most = limit * outline.choices;
  const share = outline.stream ? 0 : line.tokensFor(line.price(0) + left / shareOfWhole);
  const wanted = line.price(Math.min(most, Math.max(first, share)));
  if (!Number.isSafeInteger(wanted)) throw tooManyChoices(outline);
  // Soon somebody may have to be refused: the worker that counts needs a moment to start.
  if (left < wanted * warmBelow) rooms.world.tokenizer?.warm();
  return {
    rate,
    estimate,
    line,
    wanted,
    usual: Math.min(wanted, line.price(Math.min(most, Math.max(firstTokens, expected) * outline.choices))),
    // A clamp is nothing to a model that keeps no limit: a whole answer of it costs what its answers usually do.
    minimum: line.price(
      (keeps || outline.stream ? leastTokens(wants, limit) : Math.max(least, expected)) * outline.choices,
    ),
  };
}

/** More than an amount of money can say, let alone pay. */
function tooManyChoices({ choices }: Outline): Refusal {
  return new Refusal('invalid_request', `${choices} answers at once are more than can be priced.`, { param: 'n' });
}

/** What one answer must have at least: a few tokens, and before them the thinking that the provider insists on. */
function leastTokens({ outline, target }: Admission, limit: number): number {
  const thinking = thinkingWithin(outline, target, worthwhileTokens);
  return Math.min(limit, worthwhileTokens + (thinking.kind === 'too-little' ? thinking.floor : 0));
}

function within(funds: Funds, maxCost: NanoUsd | undefined): Pick<Funds, 'wanted' | 'minimum'> {
  if (maxCost === undefined) return funds;
  if (funds.minimum > maxCost)
    throw new Refusal('budget_exceeded', 'The prompt alone costs more than X-Tollgate-Max-Cost allows.', {
      param: 'X-Tollgate-Max-Cost',
      facts: { minimum_usd: funds.minimum / 1e9 },
    });
  return { wanted: Math.min(funds.wanted, maxCost), minimum: funds.minimum };
}

/** The output limit that money sets where it buys less than the client's own, and what it leaves for thinking. */
export interface Clamp {
  readonly outputLimit: number;
  readonly thinkingBudget?: number;
  readonly by: 'budget' | 'X-Tollgate-Max-Cost';
}

/** Output tokens that the provider is told to stop at, all choices together. */
export function toldLimit({ outline }: Exchange, clamp: Clamp | undefined): number {
  return (clamp?.outputLimit ?? outline.outputLimit ?? longestAnswer) * outline.choices;
}

/**
 * Undefined where it does not bite. A stream is clamped where not even a usual first hold was left; a whole answer
 * wherever its hold covers less than its limit. Throws `budget_exceeded` below the provider's floor for thinking.
 */
export function clampFor(rooms: Rooms, exchange: Exchange, target: Target): Clamp | undefined {
  const { asks, draft, outline, hold, funds, caller } = exchange;
  const earlier = costOf(draft.charges);
  const buys = (amount: NanoUsd): number => Math.floor(funds.line.tokensFor(amount - earlier) / outline.choices);
  const short = !outline.stream || hold.amount - earlier < funds.usual;
  const byBudget = short ? buys(hold.amount) : Number.POSITIVE_INFINITY;
  const byCost = asks.maxCost === undefined ? Number.POSITIVE_INFINITY : buys(asks.maxCost);
  const outputLimit = Math.max(1, Math.min(byBudget, byCost));
  if (outputLimit >= (outline.outputLimit ?? longestAnswer)) return undefined;
  const by = byCost <= byBudget ? 'X-Tollgate-Max-Cost' : 'budget';
  const thinking = thinkingWithin(outline, target, outputLimit);
  if (thinking.kind === 'too-little') {
    if (by === 'budget') throw rooms.budget.exceeded(hold, caller, funds.minimum);
    throw new Refusal('budget_exceeded', `Thinking takes ${thinking.floor} tokens at least, more than it may cost.`, {
      param: 'X-Tollgate-Max-Cost',
    });
  }
  return { outputLimit, by, ...(thinking.kind === 'clamped' ? { thinkingBudget: thinking.budget } : {}) };
}
