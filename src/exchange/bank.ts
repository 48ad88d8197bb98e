// The port behind the accounts: who gives out money where several instances spend from one limit. Slices, not payments.

import type { Period } from './caller.ts';
import type { NanoUsd } from './money.ts';

/** One scope in one window, as every instance and the bank name it. */
export interface Purse {
  readonly scope: string;
  /** The id of the window (`day/UTC/2026-11-21T00:00Z`): a pure function of period, zone and the bank's clock. */
  readonly window: string;
}

/** What an instance has of a purse, and what it wants of it. */
export interface SliceWant extends Purse {
  readonly per: Period;
  /** Epoch ms by the bank's clock; Infinity for a lifetime. */
  readonly startsAt: number;
  readonly endsAt: number;
  /** The limit as this instance reads it now: all slices together never pass it by a new grant. */
  readonly limit: NanoUsd;
  /** All that this instance keeps of the purse: posted, held and free. Less than the bank knows gives the rest back. */
  readonly have: NanoUsd;
  /** Of `have`: spent for good. */
  readonly posted: NanoUsd;
  /** More, without which somebody is refused; 0 asks for nothing. A bank short of it recalls what others have free. */
  readonly need: NanoUsd;
  /** More, in all, where it can be had without taking another's share; at least `need`. */
  readonly wish: NanoUsd;
}

export interface BankAsk {
  /** Stable over restarts: it is kept in the data folder. */
  readonly instance: string;
  /** Ascending: a call that comes late, after a newer one, is refused. */
  readonly number: number;
  readonly wants: readonly SliceWant[];
}

export interface Slice extends Purse {
  /** All that this instance has of the purse now. */
  readonly have: NanoUsd;
  /** What the bank could still give, to anybody. */
  readonly available: NanoUsd;
  /** Posted by all instances, as far as they have told. */
  readonly posted: NanoUsd;
  /** Others have been asked to give back what they do not use: asking again soon may get more. */
  readonly recalling: boolean;
}

export interface BankAnswer {
  /** The bank's clock, epoch ms: windows begin and end by it. */
  readonly now: number;
  /** Instances seen lately, this one included. */
  readonly instances: number;
  /** One for each want, in its order. */
  readonly slices: readonly Slice[];
}

/**
 * What `exchange` rejects with where the bank does not know the instance, or knows it from before its own memory was
 * lost: a bank made anew, or restored from an old copy. `enter` with everything again, then ask.
 */
export class EnterFirst extends Error {
  override readonly name = 'EnterFirst';
}

/**
 * Gives out slices of limits. A slice belongs to its instance until the instance says that it has less; one that is
 * never heard of again stays spent. The sum of all slices of a purse passes its limit only by what was overspent.
 */
export interface Bank {
  /**
   * All wants, each of another purse, in one transaction. The same number again changes nothing and answers what is; a lower
   * one is refused: it came late, or another process has entered in this one's name.
   * Rejects where the bank is away: nothing is known to have changed then. See `EnterFirst`.
   */
  exchange(ask: BankAsk): Promise<BankAnswer>;
  /**
   * First call of a process that has read its own journal: whatever the bank had for this instance
   * in windows that are not over is now exactly this.
   * Answers a `number` above all that it has seen of it: the next ask has a higher one.
   */
  enter(instance: string, purses: readonly SliceWant[]): Promise<{ now: number; number: number }>;
  /** Called with purses that somebody is short of: give back what is free. */
  onRecall(listener: (purses: readonly Purse[]) => void): void;
  close(): Promise<void>;
}
