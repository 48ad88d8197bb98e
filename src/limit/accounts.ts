// The counts behind the limits, one account a scope and window length, bounded in number.

import { splitClaim } from '../exchange/namespace.ts';
import type { LimitRule } from '../exchange/policy.ts';

export interface Account {
  /** Number of the window since 1970. */
  window: number;
  /** Epoch ms. */
  endsAt: number;
  requests: number;
  tokens: number;
  /** Requests inside, each with the monotonic ms of its entry: insertion order is age. */
  readonly leases: Map<object, number>;
}

export interface Accounts {
  /** The account of this window, fresh where the last one has passed, without the leases that have run out. */
  open(per: LimitRule['per'], scope: string, now: number, monotonic: number): Account;
}

const lengths: Readonly<Record<LimitRule['per'], number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** A full table is swept at most this often: a sweep of 100,000 accounts takes milliseconds. */
const sweepEveryMs = 1000;

export function createAccounts(bounds: { readonly scopesMax: number; readonly leaseMs: number }): Accounts {
  const accounts = new Map<string, Account>();
  /** Where new scopes count together while the table is full. */
  const shared = new Map<string, Account>();
  let sweptAt = Number.NEGATIVE_INFINITY;

  const expireLeases = (account: Account, monotonic: number): void => {
    for (const [lease, enteredAt] of account.leases) {
      if (monotonic - enteredAt < bounds.leaseMs) return;
      account.leases.delete(lease);
    }
  };

  const sweep = (now: number, monotonic: number): void => {
    sweptAt = monotonic;
    for (const [key, account] of accounts) {
      expireLeases(account, monotonic);
      if (account.endsAt <= now && account.leases.size === 0) accounts.delete(key);
    }
  };

  /** Names of one kind and one team or key share (`minute team:search/run`), never with others. */
  const sharedAccount = (per: LimitRule['per'], scope: string, fresh: () => Account): Account => {
    const claimed = splitClaim(scope);
    const kind = kindOf(claimed?.claim ?? scope);
    const key = `${per} ${claimed ? `${claimed.namespace}/${kind}` : kind}`;
    const account = shared.get(key) ?? fresh();
    shared.set(key, account);
    return account;
  };

  return {
    open(per, scope, now, monotonic) {
      const length = lengths[per];
      const window = Math.floor(now / length);
      const fresh = (): Account => ({
        window,
        endsAt: (window + 1) * length,
        requests: 0,
        tokens: 0,
        leases: new Map(),
      });
      const key = `${per} ${scope}`;
      let account = accounts.get(key);
      if (!account) {
        if (accounts.size >= bounds.scopesMax && monotonic - sweptAt >= sweepEveryMs) sweep(now, monotonic);
        if (accounts.size < bounds.scopesMax || !inventable(scope)) {
          account = fresh();
          accounts.set(key, account);
        } else account = sharedAccount(per, scope, fresh);
      }
      expireLeases(account, monotonic);
      // A clock set back by a moment does not open a new window; one set back by more must not close this one for long.
      if (account.window < window || account.window > window + 1) {
        account.window = window;
        account.endsAt = (window + 1) * length;
        account.requests = 0;
        account.tokens = 0;
      }
      return account;
    },
  };
}

function kindOf(scope: string): string {
  return scope.slice(0, Math.max(0, scope.indexOf(':')));
}

/** Names that a client can make up. Those of keys and units are as many as the operator made. */
function inventable(scope: string): boolean {
  return splitClaim(scope) !== undefined || scope.startsWith('model:');
}
