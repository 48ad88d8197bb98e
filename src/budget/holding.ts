// What one instance has of one limited account and window: its slice, how fast it is spent, and what to ask for next.

import type { Slice, SliceWant } from '../exchange/bank.ts';
import type { NanoUsd } from '../exchange/money.ts';
import type { Account, Bucket } from './accounts.ts';
import { readWindowId } from './window.ts';

/** Recall takes others' free money, so that a generous slice starves nobody, and carries an instance over a bank's absence. */
const horizonMs = 150_000;
/** What is asked for a bucket of which no rate is known yet, in first holds. */
const firstHolds = 32;
/** A background refill that got nothing is not repeated before. */
const pauseMs = 500;
/** A rate over less time says nothing. */
const measureMs = 250;

/** Times are the caller's monotonic clock, in ms. */
export class Holding {
  readonly account: Account;
  readonly bucket: Bucket;
  limit: NanoUsd;
  /** Shortfall of those who wait. */
  need: NanoUsd = 0;
  /** Posted nano-USD a millisecond, lately. */
  rate = 0;
  /** Another instance has been asked to give back. */
  recalling = false;
  /** A call about it is on its way: what it has is not touched until the answer. */
  #asked = false;
  /** Was to give back in that time. */
  #returning = false;
  /** Until then no background refill is asked for. */
  #quietUntil = 0;
  /** What the last answer left, by which half is measured. */
  #filled: NanoUsd = 0;
  /** What the bank was told as posted. */
  #told: NanoUsd = -1;
  #measuredPosted: NanoUsd;
  #measuredAt: number;

  constructor(account: Account, bucket: Bucket, limit: NanoUsd, now: number) {
    this.account = account;
    this.bucket = bucket;
    this.limit = limit;
    this.#measuredPosted = bucket.posted;
    this.#measuredAt = now;
  }

  get free(): NanoUsd {
    return freeOf(this.bucket);
  }

  /** The bank does not know yet what was posted last. */
  get untold(): boolean {
    return this.bucket.posted !== this.#told;
  }

  /** Nothing is held, everything spent is told, and nothing is left to give back. */
  get settled(): boolean {
    return this.bucket.held === 0 && !this.untold && this.bucket.leased === this.bucket.posted;
  }

  /** Half of what the last answer left is gone, and there may be more to have. */
  isLow(now: number): boolean {
    if (this.free * 2 > this.#filled) return false;
    return this.bucket.leased < this.limit && this.#quietUntil <= now;
  }

  want(now: number): SliceWant {
    const { bucket, limit, need } = this;
    const { window, posted, held, scope } = bucket;
    // What was spent beyond the slice is the bank's to know as well.
    if (bucket.leased < posted + held) bucket.leased = posted + held;
    this.measure(now);
    // What is held now will be held again by others while it is spent; of a bucket never spent on nothing more is known.
    const keeps = this.rate === 0 ? need * firstHolds : this.rate * horizonMs + held;
    const quiet = limit === Number.POSITIVE_INFINITY || this.#quietUntil > now;
    const wish = Math.max(need, Math.ceil(keeps - this.free));
    return {
      scope,
      window: window.id,
      per: readWindowId(window.id)?.per ?? 'lifetime',
      startsAt: window.startsAt,
      endsAt: window.endsAt,
      limit: Math.min(limit, Number.MAX_SAFE_INTEGER),
      have: bucket.leased,
      posted,
      need,
      wish: quiet ? need : Math.min(wish, Number.MAX_SAFE_INTEGER),
    };
  }

  /** What it has, without asking for more. */
  entry(now: number): SliceWant {
    return { ...this.want(now), need: 0, wish: 0 };
  }

  measure(now: number): void {
    const { posted } = this.bucket;
    const passed = now - this.#measuredAt;
    if (passed < measureMs) return;
    const rate = (posted - this.#measuredPosted) / passed;
    // Up at once, down slowly: a burst that comes back should find its money.
    this.rate = rate > this.rate ? rate : this.rate * 0.9 + rate * 0.1;
    this.#measuredPosted = posted;
    this.#measuredAt = now;
  }

  /** A call about it leaves. */
  ask(): void {
    this.#asked = true;
  }

  /** The call is over, well or not. True where what it has is to be given back now. */
  answered(now: number): boolean {
    this.#asked = false;
    const returning = this.#returning;
    this.#returning = false;
    return returning && this.giveBack(now);
  }

  take(told: SliceWant, slice: Slice, now: number): void {
    const { bucket } = this;
    const gained = slice.have - bucket.leased;
    bucket.leased = slice.have;
    // Asked without a limit, at the entry, the bank has said what is posted, and not what is left.
    const available = told.limit > 0 ? slice.available : bucket.elsewhere.available;
    bucket.elsewhere = { available, posted: Math.max(0, slice.posted - told.posted) };
    this.#told = told.posted;
    this.recalling = slice.recalling;
    this.#filled = this.free;
    this.need = 0;
    if (gained <= 0) this.#quietUntil = now + pauseMs;
  }

  /** Keeps what is spent and held. True where the bank has to be told; while a call is on its way, after it. */
  giveBack(now: number): boolean {
    if (this.#asked) this.#returning = true;
    const spent = this.bucket.posted + this.bucket.held;
    if (this.#asked || this.bucket.leased <= spent) return false;
    this.bucket.leased = spent;
    this.#quietUntil = now + pauseMs;
    return true;
  }
}

export function freeOf(bucket: Bucket): NanoUsd {
  return bucket.leased - bucket.posted - bucket.held;
}
