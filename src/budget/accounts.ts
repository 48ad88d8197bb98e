// Accounts: what was posted and what is held, for each scope and window. Plain sums; who may hold is decided elsewhere.

import type { Caller, Period } from '../exchange/caller.ts';
import type { NanoUsd } from '../exchange/money.ts';
import { Refusal } from '../exchange/refusal.ts';
import { namespaceOf, splitClaim } from './namespace.ts';
import { type Calendar, readWindowId, type Window } from './window.ts';

/** One scope in one window. A hold keeps the bucket it was taken in, also when the window is over. */
export interface Bucket {
  readonly window: Window;
  posted: NanoUsd;
  held: NanoUsd;
  /** Share of the limit for which an alert was last raised. */
  alerted: number;
  /** `{"scope":…,"window":…}`, made once: it stands in every row that touches the bucket. */
  readonly json: string;
}

export interface Account {
  readonly scope: string;
  readonly calendar: Calendar;
  bucket: Bucket;
  usedAt: number;
  /** The key whose request made it, where it is claimed: its number is bounded for each key. */
  readonly claimedBy?: string;
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
  /** Adds to what was posted in a window, if that window is not over. */
  restore(scope: string, windowId: string, amount: NanoUsd, now: number, usedAt: number): void;
  all(): Iterable<Account>;
  /** Forgets claims whose window is over, or that nobody used for a week. */
  sweep(now: number): void;
}

/** The bucket of the window that stands now. A clock that goes back does not reopen a window. */
export function current(account: Account, now: number): Bucket {
  if (now >= account.bucket.window.endsAt) account.bucket = emptyBucket(account.scope, account.calendar.at(now));
  return account.bucket;
}

function emptyBucket(scope: string, window: Window): Bucket {
  return { window, posted: 0, held: 0, alerted: 0, json: JSON.stringify({ scope, window: window.id }) };
}

export function createAccounts(calendarOf: (per: Period, timezone: string) => Calendar): Accounts {
  const accounts = new Map<string, Account>();
  const claims = new Map<string, number>();

  const find = (scope: string, per: Period, timezone: string, now: number, claimedBy?: string): Account => {
    const calendar = calendarOf(per, timezone);
    const key = `${scope}\n${per}/${calendar.timezone}`;
    let account = accounts.get(key);
    if (!account) {
      account = {
        scope,
        calendar,
        bucket: emptyBucket(scope, calendar.at(now)),
        usedAt: now,
        ...(claimedBy === undefined ? {} : { claimedBy }),
      };
      accounts.set(key, account);
      if (claimedBy !== undefined) claims.set(claimedBy, (claims.get(claimedBy) ?? 0) + 1);
    }
    return account;
  };

  const sweep = (now: number): void => {
    for (const [key, { scope, bucket, usedAt, claimedBy }] of accounts) {
      if (bucket.held !== 0 || !splitClaim(scope)) continue;
      const over = now >= bucket.window.endsAt;
      const idle = bucket.window.endsAt === Number.POSITIVE_INFINITY && usedAt + claimIdleMs <= now;
      const empty = bucket.posted === 0 && usedAt + claimEmptyMs <= now;
      if (!over && !idle && !empty) continue;
      accounts.delete(key);
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
    restore(scope, windowId, amount, now, usedAt) {
      const said = readWindowId(windowId);
      if (!said) return;
      const window = calendarOf(said.per, said.timezone).at(said.startsAt);
      if (now >= window.endsAt) return;
      const account = find(scope, said.per, said.timezone, now);
      if (account.bucket.window.startsAt < window.startsAt) account.bucket = emptyBucket(scope, window);
      account.bucket.posted += amount;
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
