// Accounts: what was posted and what is held, for each scope and window. Plain sums; who may hold is decided elsewhere.

import type { Period } from '../exchange/caller.ts';
import type { NanoUsd } from '../exchange/money.ts';
import { Refusal } from '../exchange/refusal.ts';
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
}

/** Claimed accounts that one key may have in use at a time: runs, tags and end users are the client's words. */
export const claimsPerKeyMax = 10_000;
/** A claim's lifetime ends after this long without use. */
const claimIdleMs = 7 * 86_400_000;

export interface Accounts {
  /** The account, made where it is missing. */
  find(scope: string, per: Period, timezone: string, now: number): Account;
  /** The same for a scope that a request claims, under its key. Throws `not_allowed` beyond the bound. */
  claim(keyId: string, scope: string, per: Period, timezone: string, now: number): Account;
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

  const find: Accounts['find'] = (scope, per, timezone, now) => {
    const calendar = calendarOf(per, timezone);
    const key = `${scope}\n${per}/${calendar.timezone}`;
    let account = accounts.get(key);
    if (!account) {
      account = { scope, calendar, bucket: emptyBucket(scope, calendar.at(now)), usedAt: now };
      accounts.set(key, account);
      const owner = claimant(scope);
      if (owner !== undefined) claims.set(owner, (claims.get(owner) ?? 0) + 1);
    }
    return account;
  };

  const sweep = (now: number): void => {
    for (const [key, { scope, bucket, usedAt }] of accounts) {
      const owner = claimant(scope);
      if (owner === undefined || bucket.held !== 0) continue;
      const over = now >= bucket.window.endsAt;
      const idle = bucket.window.endsAt === Number.POSITIVE_INFINITY && usedAt + claimIdleMs <= now;
      if (!over && !idle) continue;
      accounts.delete(key);
      claims.set(owner, (claims.get(owner) ?? 1) - 1);
    }
  };

  return {
    find,
    sweep,
    claim(keyId, scope, per, timezone, now) {
      const full = `key:${keyId}/${scope}`;
      if (
        (claims.get(keyId) ?? 0) >= claimsPerKeyMax &&
        !accounts.has(`${full}\n${per}/${calendarOf(per, timezone).timezone}`)
      ) {
        sweep(now);
        if ((claims.get(keyId) ?? 0) >= claimsPerKeyMax) throw tooManyClaims();
      }
      const account = find(full, per, timezone, now);
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

/** The key under which a claimed scope lives: `key:ID/run:nightly`. A key's id has no slash. */
function claimant(scope: string): string | undefined {
  if (!scope.startsWith('key:')) return undefined;
  const slash = scope.indexOf('/');
  return slash < 0 ? undefined : scope.slice(4, slash);
}

function tooManyClaims(): Refusal {
  const most = claimsPerKeyMax.toLocaleString('en-US');
  return new Refusal(
    'not_allowed',
    `This key already has ${most} runs, tags and end users with a budget of their own in use; use an existing one or wait until some are over.`,
  );
}
