// The meter of a streamed attempt: compares a number for each chunk, asks for more money in time, and counts exactly
// before it says no.

import { exactOutput } from './exact-count.ts';
import { costOf } from './exchange/draft.ts';
import type { Frame } from './exchange/frame.ts';
import { Refusal } from './exchange/refusal.ts';
import type { Target } from './exchange/target.ts';
import { inputTokens, outputTokens, type Usage } from './exchange/usage.ts';
import { type Clamp, longestAnswer } from './hold-amount.ts';
import { possible } from './meter/believable.ts';
import { textInside } from './meter/frame-text.ts';
import type { Gauge } from './meter/gauge.ts';
import { createGrowth, silentTokensPerSecond } from './meter/growth.ts';
import { withinLimit } from './meter/limits.ts';
import type { KeptText } from './meter/texts.ts';
import { nameOf, toldLine } from './pricing.ts';
import type { Exchange, Rooms } from './rooms.ts';
import type { Verdict } from './stream/hooks.ts';
import { mayThink } from './thinking.ts';

/** Characters after which the meter looks again, at most: well below a low-water mark. */
const lookEveryCharacters = 200;
/** Text is kept for an exact count once what is left would not pay so many tokens, or four usual answers. */
const scarceTokens = 8192;
/** Where money is ample, an estimate this far over a limit means that the provider does not keep it. */
const overLimit = 1.5;
/** An estimate may be this many times too high: of ASCII art, or of one word repeated. */
const estimateError = 8;
/** So much a hold grows at most for a model that is silent and names no budget for its thoughts. */
const silentTokensMax = 16_384;
/** Less is not worth a row in the journal. */
const leastGrowthTokens = 16;

export interface Metering {
  meter(characters: number, usage: Usage | undefined, frame: Frame): Verdict;
  /** The attempt is over: what was kept is let go. Idempotent. */
  close(): void;
}

export interface Metered {
  readonly rooms: Rooms;
  readonly exchange: Exchange;
  readonly target: Target;
  readonly gauge: Gauge;
  readonly clamp: Clamp | undefined;
  /** Output tokens that the provider was told to stop at, all choices together. */
  readonly outputLimit: number;
}

export function createMetering({ rooms, exchange, target, gauge, clamp, outputLimit }: Metered): Metering {
  const { asks, caller, hold, outline, funds } = exchange;
  const { budget, meter } = rooms;
  const name = nameOf(target);
  const mark = target.provider.billing.lowWater;
  const earlier = costOf(exchange.draft.charges);
  /** All choices together: no provider that keeps its limit passes it. */
  const ceiling = meter.keepsLimit(name) ? outputLimit : longestAnswer * outline.choices;
  const growth = createGrowth(rooms.world.clock);
  let { line } = funds;
  let told: Usage | undefined;
  let toldInput = 0;
  let toldTokens = 0;
  let characters = 0;
  let nextAt = 0;
  /** Tokens that the hold pays for, and those that the request's own maximum does. */
  let covered = 0;
  let allowed = Number.POSITIVE_INFINITY;
  /** Kept from where the count was last sure. */
  let text: KeptText | undefined;
  let sureTokens = 0;
  /** More was told than is paid for, with what may have been the last event. */
  let overdue = false;
  let silentSeconds = 0;
  let seenBySweep = 0;

  const refresh = (): void => {
    covered = line.tokensFor(hold.amount - earlier);
    if (asks.maxCost !== undefined) allowed = line.tokensFor(asks.maxCost - earlier);
  };

  /** What must be paid for to let the stream go on: what it has, and what may be in flight, up to its limit. */
  const needed = (tokens: number): number => {
    const made = text ? withinLimit(tokens, ceiling) : tokens / overLimit;
    const keeps = toldTokens <= ceiling && made <= ceiling;
    return keeps ? Math.min(tokens + mark, ceiling) : tokens + mark;
  };

  const left = (): number => budget.available({ caller, target, budgets: rooms.budgets(), extra: exchange.extra });

  const keepIfScarce = (tokensSoFar: number): void => {
    if (text || !rooms.world.tokenizer) return;
    const usual = meter.usualLength(caller.keyId, name) ?? 0;
    const enough = tokensSoFar + Math.min(ceiling * estimateError, Math.max(scarceTokens, 4 * usual));
    const payable = Math.min(allowed, covered + line.tokensFor(line.price(0) + left()));
    // What is clamped to its money has enough only as long as its provider keeps the limit.
    if (!clamp && payable >= enough) return;
    rooms.world.tokenizer.warm();
    text = meter.keepText();
    sureTokens = tokensSoFar;
  };

  const exceedsMaxCost = (): Refusal =>
    new Refusal('budget_exceeded', 'The stream reached the X-Tollgate-Max-Cost of this request.', {
      param: 'X-Tollgate-Max-Cost',
    });

  /** The estimate says that the money is used up: a count of what was kept has the last word. */
  const countOrCut = async (refusal: () => Refusal): Promise<Refusal | undefined> => {
    const kept = text?.take();
    const counted = kept === undefined ? undefined : await exactOutput(rooms, name, kept);
    if (counted === undefined) return refusal();
    const tokens = sureTokens + counted;
    if (tokens < gauge.tokens(characters)) gauge.counted(characters, tokens);
    sureTokens = tokens;
    const need = needed(gauge.tokens(characters));
    if (need > covered || gauge.tokens(characters) > allowed) return refusal();
    lookAgain(need);
    return undefined;
  };

  const lookAgain = (need: number): void => {
    nextAt = characters + Math.min(lookEveryCharacters, Math.max(1, Math.floor(covered - need)));
  };

  /** More money for at least `need` tokens; when all of that is not to be had, what is left. */
  const raise = (need: number): Verdict => {
    const grown = need + growth.next(line, left());
    const wish = need > ceiling ? grown : Math.min(ceiling, grown);
    const missing = (tokens: number): number => Math.ceil(line.price(tokens) + earlier - hold.amount);
    const refusal = (): Refusal => budget.exceeded(hold, caller, Math.max(1, missing(need)));
    const rest = (raised: boolean): Verdict => {
      refresh();
      if (raised) growth.granted();
      keepIfScarce(gauge.tokens(characters));
      if (need > covered) return countOrCut(refusal);
      lookAgain(need);
      return undefined;
    };
    const partly = (raised: boolean): Verdict => {
      const some = Math.floor(left());
      if (raised || line.tokensFor(line.price(0) + some) < leastGrowthTokens) return rest(raised);
      const again = budget.topUp(hold, Math.min(some, missing(wish)));
      return again instanceof Promise ? again.then(rest) : rest(again);
    };
    const raised = budget.topUp(hold, missing(wish));
    return raised instanceof Promise ? raised.then(partly) : partly(raised);
  };

  const look = (): Verdict => {
    const tokens = gauge.tokens(characters);
    if (tokens > allowed) return countOrCut(exceedsMaxCost);
    const need = needed(tokens);
    if (need > covered) return raise(need);
    lookAgain(need);
    return undefined;
  };

  /** Some tell their input before they have counted any output. */
  const tells = (usage: Usage): boolean => outputTokens(usage) !== toldTokens || inputTokens(usage) !== toldInput;

  /** The provider told what it has counted so far, hidden thoughts included. */
  const hear = (usage: Usage): void => {
    told = usage;
    toldTokens = outputTokens(usage);
    // What is not believed leaves the text to be counted.
    if (gauge.told(characters, toldTokens) && text?.take() !== undefined) sureTokens = gauge.tokens(characters);
    const input = inputTokens(usage);
    if (input === toldInput) return;
    toldInput = input;
    line = toldLine(rooms.prices, usage, funds.rate, outline.outputs);
    refresh();
  };

  /** Hidden thoughts: a hold grows while the model is silent. A refusal here means nothing: who only waits is not cut. */
  const reserve = (): void => {
    if (characters > seenBySweep) silentSeconds = 0;
    else silentSeconds++;
    seenBySweep = characters;
    const hidden = Math.min(silentSeconds * silentTokensPerSecond, outline.thinkingBudget ?? silentTokensMax);
    const need = Math.min(gauge.tokens(characters) + hidden, ceiling);
    if (silentSeconds === 0 || need <= covered) return;
    const missing = Math.max(1, Math.ceil(line.price(need) + earlier - hold.amount));
    const rest = (raised: boolean): void => {
      // What is left is thought away already: nobody else is let in with it.
      const some = raised ? 0 : Math.min(missing, Math.floor(left()));
      const again = some > 0 && budget.topUp(hold, some);
      if (again instanceof Promise) void again.then(refresh);
      else refresh();
    };
    const raised = budget.topUp(hold, missing);
    if (raised instanceof Promise) void raised.then(rest);
    else rest(raised);
  };

  refresh();
  keepIfScarce(0);
  const unwatch = mayThink(meter, outline, name) ? meter.watch(reserve) : undefined;

  return {
    meter(now, usage, frame) {
      const before = characters;
      characters = now;
      if (text) text.add(frame.words ?? textInside(frame.data));
      if (now >= gauge.nextSampleAt) {
        gauge.sample(frame, now - before);
        keepIfScarce(gauge.tokens(now));
      }
      if (usage !== undefined && usage !== told && tells(usage) && possible(usage)) {
        hear(usage);
        // With text the count may be the stream's last: what it says is acted upon if more comes, a count of it included.
        const late = overdue;
        overdue = now > before && needed(toldTokens) > covered;
        if (late || !overdue) return look();
        nextAt = now + 1;
      }
      return now < nextAt ? undefined : look();
    },
    close() {
      unwatch?.();
      text?.release();
      text = undefined;
    },
  };
}
