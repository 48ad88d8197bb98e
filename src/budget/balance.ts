// What stands on the accounts, for those who look: the key that asks what it has left, the operator, the metrics.

import type { Caller } from '../exchange/caller.ts';
import type { Balance } from '../exchange/hold.ts';
import type { NanoUsd } from '../exchange/money.ts';
import { splitClaim } from '../exchange/namespace.ts';
import type { BudgetRule } from '../exchange/policy.ts';
import { type Account, type Accounts, current, leftOf } from './accounts.ts';
import type { Entry } from './scopes.ts';

export interface Remaining {
  readonly scope: string;
  readonly remaining: NanoUsd;
  readonly limit: NanoUsd;
  /** Epoch ms; absent for a lifetime. */
  readonly resetsAt?: number;
}

/** The key's own budget with the least left. */
export function tightest(caller: Caller, entries: readonly Entry[], now: number): Remaining | undefined {
  let found: Remaining | undefined;
  const key = `key:${caller.keyId}`;
  for (const { account, limit, shown } of entries) {
    if (shown !== key || limit === Number.POSITIVE_INFINITY) continue;
    const bucket = current(account, now);
    const remaining = Math.max(0, leftOf(limit, bucket));
    const { endsAt } = bucket.window;
    if (!found || remaining < found.remaining) found = { scope: shown, remaining, limit, ...resets(endsAt) };
  }
  return found;
}

/** Every limit that stands on the caller's key or on what it claims, and on nobody else's. */
export function ownBalances(entries: readonly Entry[], now: number): Balance[] {
  return entries.flatMap(({ account, limit, shown, own }) =>
    own && limit !== Number.POSITIVE_INFINITY
      ? [{ scope: shown, named: false, per: account.calendar.per, limit, ...figures(account, limit, now) }]
      : [],
  );
}

export function balanceOf(accounts: Accounts, budgets: readonly BudgetRule[], now: number): Balance[] {
  // What clients name has an account in each team that names it, and none of its own.
  const named = budgets.filter(({ scope }) => !scope.endsWith('*') && !/^(run|tag|end_user):/.test(scope));
  for (const rule of named) accounts.find(rule.scope, rule.per, rule.timezone, now);
  const balances: Balance[] = [];
  for (const account of accounts.all()) {
    for (const rule of budgets) if (limits(rule, account)) balances.push(balance(account, rule, now));
  }
  return balances;
}

function limits(rule: BudgetRule, account: Account): boolean {
  const { per, timezone } = account.calendar;
  if (rule.per !== per || (per !== 'lifetime' && rule.timezone !== timezone)) return false;
  const scope = splitClaim(account.scope)?.claim ?? account.scope;
  return rule.scope.endsWith('*') ? scope.startsWith(rule.scope.slice(0, -1)) : scope === rule.scope;
}

function balance(account: Account, rule: BudgetRule, now: number): Balance {
  const named = account.scope === rule.scope;
  const { per, limit } = rule;
  return { scope: account.scope, per, limit, ...figures(account, limit, now), named, rule };
}

function figures(
  account: Account,
  limit: NanoUsd,
  now: number,
): Pick<Balance, 'posted' | 'held' | 'available' | 'resetsAt'> {
  const bucket = current(account, now);
  const available = leftOf(limit, bucket);
  const posted = bucket.posted + bucket.elsewhere.posted;
  // Of several instances: held here, or lying in a slice of another.
  const held = limit - available - posted;
  return { posted, held, available, ...resets(bucket.window.endsAt) };
}

function resets(endsAt: number): { resetsAt?: number } {
  return Number.isFinite(endsAt) ? { resetsAt: endsAt } : {};
}
