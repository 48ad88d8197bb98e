// What every bank holds to: which windows get money, how much of it, when others are asked to give back; and its bounds.

import type { BankAsk, Purse, SliceWant } from '../exchange/bank.ts';
import type { Period } from '../exchange/caller.ts';

export interface BankRules {
  /** An instance counts for the others' shares, and is waited for in a recall, this long after it was heard. */
  readonly seenLatelyMs: number;
  /** A purse is recalled at most this often: each time costs every instance a call. */
  readonly recallAgainMs: number;
  /** A window that ended longer ago gets nothing more: what was held in it has been settled by now. */
  readonly overMs: number;
  /** A window that ended longer ago is forgotten; more than `overMs`. A lifetime never is. */
  readonly forgetMs: number;
  /**
   * How long a bank that lost its memory gives nothing, until all who spend have told it what they have: longer than
   * an instance that asks for nothing stays silent.
   */
  readonly settlesMs: number;
}

export const defaultRules: BankRules = {
  seenLatelyMs: 20_000,
  recallAgainMs: 250,
  overMs: 86_400_000,
  forgetMs: 2 * 86_400_000,
  settlesMs: 10_000,
};

/** Bounds of one call. */
export const wantsMax = 10_000;
export const entriesMax = 1_000_000;
const nameMax = 1000;

/**
 * An entering process starts this far above the numbers of the one before it, so that a call of that one, still on its
 * way, is late whatever its number.
 */
export const numbersApart = 1_000_000;

const dayMs = 86_400_000;
const hourMs = 3_600_000;
/** The longest that a window can be, an autumn night included. */
const longestMs: Readonly<Record<Period, number>> = {
  minute: 60_000,
  hour: 2 * hourMs,
  day: dayMs + hourMs,
  week: 7 * dayMs + hourMs,
  month: 31 * dayMs + hourMs,
  lifetime: Number.POSITIVE_INFINITY,
};

/** Whether a window gives money now: this one, the next one, and what just ended. */
export function isOpen(want: SliceWant, now: number, rules: BankRules): boolean {
  return now <= want.endsAt + rules.overMs && want.startsAt - now <= longestMs[want.per];
}

/** Whether a bank keeps a window's purse at all. */
export function isKept(want: SliceWant, now: number, rules: BankRules): boolean {
  return now <= want.endsAt + rules.forgetMs && want.startsAt - now <= longestMs[want.per];
}

/** What is given on top of `have`: the need as far as it goes, the wish only out of half of an equal share. */
export function grant(want: SliceWant, available: number, instances: number): number {
  const share = Math.floor(Math.max(0, available) / (2 * instances));
  return Math.max(0, Math.min(available, Math.max(want.need, Math.min(want.wish, share))));
}

/** One string for a purse; a line feed stands in no scope. */
export function purseKey(purse: Purse): string {
  return `${purse.scope}\n${purse.window}`;
}

/** Throws RangeError for what no instance of ours sends: a caller's mistake must not become money. */
export function checkAsk(ask: BankAsk): void {
  if (!Number.isSafeInteger(ask.number) || ask.number < 1) throw new RangeError(`number ${ask.number}`);
  checkWants(ask.instance, ask.wants, wantsMax);
}

export function checkWants(instance: string, wants: readonly SliceWant[], most: number): void {
  if (instance.length === 0 || instance.length > nameMax) throw new RangeError('an instance without a usable name');
  if (wants.length > most) throw new RangeError(`${wants.length} purses in one call, at most ${most}`);
  const seen = new Set<string>();
  for (const want of wants) {
    const key = purseKey(want);
    if (seen.has(key)) throw new RangeError(`the purse ${want.scope} ${want.window} twice in one call`);
    seen.add(key);
    if (key.length > nameMax || want.scope.includes('\n')) throw new RangeError('a purse without a usable name');
    for (const amount of [want.limit, want.have, want.posted, want.need, want.wish]) {
      if (!Number.isSafeInteger(amount) || amount < 0) throw new RangeError(`${amount} nano-USD in ${want.scope}`);
    }
    if (want.posted > want.have) throw new RangeError(`posted more than it has in ${want.scope}`);
    if (Number.isNaN(want.startsAt) || !(want.endsAt > want.startsAt)) throw new RangeError(`times of ${want.window}`);
  }
}

/** What a call is told that has a lower number than one before it. */
export function lateError(instance: string): Error {
  return new Error(
    `the bank has heard a newer call of ${instance}: this one came late, or another process has a copy of this data folder`,
  );
}
