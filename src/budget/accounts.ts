// Accounts: what was posted and what is held, for each scope and window. Plain sums; who may hold is decided elsewhere.

import type { Caller, Period } from '../exchange/caller.ts';
import type { NanoUsd } from '../exchange/money.ts';
import { namespaceOf, splitClaim } from '../exchange/namespace.ts';
import { Refusal } from '../exchange/refusal.ts';
import { type Calendar, readWindowId, type Window } from './window.ts';

/** One scope in one window. A hold keeps the bucket it was taken in, also when the window is over. */
export interface Bucket {
  readonly scope: string;
  readonly window: Window;
  posted: NanoUsd;
  held: NanoUsd;
  /** All that may be spent here, posted and held included; Infinity where this process owns its accounts alone. */
  leased: NanoUsd;
  /** What the bank said when it was last asked: still to be had, and posted by other instances. */
  elsewhere: { readonly available: NanoUsd; readonly posted: NanoUsd };
  /** The highest threshold that was reported, nano-USD. */
  alerted: number;
  /** `{"scope":…,"window":…}`, made once: it stands in every row that touches the bucket. */
  readonly json: string;
}

export interface Account {
  readonly scope: string;
  readonly calendar: Calendar;
  bucket: Bucket;
  /** The window after this one, once money was leased for it. */
  next: Bucket | undefined;
  usedAt: number;
  /** The key whose request made it, where it is claimed: its number is bounded for each key. */
  readonly claimedBy?: string;
  /** What a new bucket may spend before anything was leased. */
  readonly unleased: NanoUsd;
  /** Swept away: whoever comes under this scope begins anew. */
  forgotten: boolean;
}

/** Claimed accounts that one key may have in use at a time: runs, tags and end users are the client's words. */
export const claimsPerKeyMax = 10_000;
/** A claim's lifetime ends after this long without use. */
const claimIdleMs = 7 * 86_400_000;
/** One that nothing was spent on needs no memory: what refused requests claimed must not fill the table. */
const claimEmptyMs = 60_000;

export interface Accounts {
  /** The account, made where it is missing. */
  find(scope: string, per: Period, timezone: string, now: number): Account;
  /** The same for a scope that a request claims, under its key's team or its key. Throws `not_allowed` beyond the bound. */
  claim(caller: Pick<Caller, 'keyId' | 'scopes'>, scope: string, per: Period, timezone: string, now: number): Account;
  /** Adds to what was posted in a window, if that window is not over. `reported`: alerts have told of it. */
  restore(scope: string, windowId: string, amount: NanoUsd, now: number, usedAt: number, reported?: boolean): void;
  all(): Iterable<Account>;
  /** Forgets claims whose window is over, or that nobody used for a week. */
  sweep(now: number): void;
}

/** The bucket of the window that stands now. A clock that goes back does not reopen a window. */
export function current(account: Account, now: number): Bucket {
  if (now >= account.bucket.window.endsAt) {
    const window = account.calendar.at(now);
    const { next } = account;
    account.bucket = next?.window.id === window.id ? next : emptyBucket(account, window);
    account.next = undefined;
  }
  return account.bucket;
}

/** The bucket of the window that follows, for those who look ahead. Never asked of a lifetime, which has none. */
export function nextOf(account: Account): Bucket {
  account.next ??= emptyBucket(account, account.calendar.at(account.bucket.window.endsAt));
  return account.next;
}

/** What this process may still take from a bucket under a limit; negative where a request cost more than it held. */
export function freeUnder(limit: NanoUsd, { leased, posted, held }: Bucket): NanoUsd {
  if (limit === Number.POSITIVE_INFINITY) return limit;
  return (limit < leased ? limit : leased) - posted - held;
}

/** What is left of a limit, wherever it lies. */
export function leftOf(limit: NanoUsd, bucket: Bucket): NanoUsd {
  const { leased, posted, held, elsewhere } = bucket;
  if (leased === Number.POSITIVE_INFINITY) return limit - posted - held;
  const own = Math.min(limit, leased) - posted - held;
  // Before the bank was asked nothing more is known than what is spent.
  return Math.min(own + Math.min(elsewhere.available, limit), limit - posted - held - elsewhere.posted);
}

function emptyBucket({ scope, unleased }: Pick<Account, 'scope' | 'unleased'>, window: Window): Bucket {
  return {
    scope,
    window,
    posted: 0,
    held: 0,
    leased: unleased,
    elsewhere: unasked,
    alerted: 0,
    json: JSON.stringify({ scope, window: window.id }),
  };
}

/** Until the bank was asked, all of a limit may be there. */
const unasked = { available: Number.MAX_SAFE_INTEGER, posted: 0 };

/** The most by which an instance's clock may differ from its bank's. */
const skewMs = 3_600_000;

/** `unleased`: what a bucket may spend before anything was leased for it; Infinity for a sole owner. */
export function createAccounts(
  calendarOf: (per: Period, timezone: string) => Calendar,
  unleased: NanoUsd = Number.POSITIVE_INFINITY,
): Accounts {
  const accounts = new Map<string, Account>();
  const claims = new Map<string, number>();
  // Where a bank has the clock, ours may be ahead of it: a window that is just over here may stand there.
  const overdueMs = unleased === Number.POSITIVE_INFINITY ? 0 : skewMs;

  const find = (scope: string, per: Period, timezone: string, now: number, claimedBy?: string): Account => {
    const calendar = calendarOf(per, timezone);
    const key = `${scope}\n${per}/${calendar.timezone}`;
    let account = accounts.get(key);
    if (!account) {
      const bucket = emptyBucket({ scope, unleased }, calendar.at(now));
      const claimed = claimedBy === undefined ? {} : { claimedBy };
      account = { scope, calendar, bucket, next: undefined, usedAt: now, unleased, forgotten: false, ...claimed };
      accounts.set(key, account);
      if (claimedBy !== undefined) claims.set(claimedBy, (claims.get(claimedBy) ?? 0) + 1);
    }
    return account;
  };

  const sweep = (now: number): void => {
    for (const [key, account] of accounts) {
      const { scope, bucket, usedAt, claimedBy } = account;
      if (bucket.held !== 0 || !splitClaim(scope)) continue;
      const over = now >= bucket.window.endsAt;
      const idle = bucket.window.endsAt === Number.POSITIVE_INFINITY && usedAt + claimIdleMs <= now;
      const empty = bucket.posted === 0 && usedAt + claimEmptyMs <= now;
      if (!over && !idle && !empty) continue;
      accounts.delete(key);
      account.forgotten = true;
      if (claimedBy !== undefined) claims.set(claimedBy, (claims.get(claimedBy) ?? 1) - 1);
    }
  };

  return {
    find: (scope, per, timezone, now) => find(scope, per, timezone, now),
    sweep,
    claim(caller, scope, per, timezone, now) {
      const { keyId } = caller;
      const full = `${namespaceOf(caller)}/${scope}`;
      if (
        (claims.get(keyId) ?? 0) >= claimsPerKeyMax &&
        !accounts.has(`${full}\n${per}/${calendarOf(per, timezone).timezone}`)
      ) {
        sweep(now);
        if ((claims.get(keyId) ?? 0) >= claimsPerKeyMax) throw tooManyClaims();
      }
      const account = find(full, per, timezone, now, keyId);
      // In use from here: a sweep for the next claim of this request must not take it away.
      current(account, now);
      account.usedAt = now;
      return account;
    },
    restore(scope, windowId, amount, now, usedAt, reported = true) {
      const said = readWindowId(windowId);
      if (!said) return;
      const window = calendarOf(said.per, said.timezone).at(said.startsAt);
      if (now >= window.endsAt + overdueMs) return;
      const account = find(scope, said.per, said.timezone, said.startsAt);
      if (account.bucket.window.startsAt < window.startsAt) account.bucket = emptyBucket(account, window);
      if (account.bucket.window.id !== window.id) return;
      account.bucket.posted += amount;
      // What was passed before this process began was reported by the one before it.
      if (reported) account.bucket.alerted = account.bucket.posted;
      account.usedAt = usedAt;
    },
    all: () => accounts.values(),
  };
}

function tooManyClaims(): Refusal {
  const most = claimsPerKeyMax.toLocaleString('en-US');
  return new Refusal(
    'not_allowed',
    `This key already has ${most} runs, tags and end users with a budget of their own in use; use an existing one or wait until some are over.`,
  );
}
