// Which accounts a request stands on: the caller's scopes, the target's, and what the request claims, against all rules.

import type { Caller } from '../exchange/caller.ts';
import type { Scoped } from '../exchange/hold.ts';
import type { NanoUsd } from '../exchange/money.ts';
import type { BudgetRule, OnExhausted } from '../exchange/policy.ts';
import { scopesOfTarget } from '../exchange/scope.ts';
import type { Target } from '../exchange/target.ts';
import type { Account, Accounts } from './accounts.ts';

/** An account against the limit that holds for it. Where several rules meet on one account, the lowest limit counts. */
export interface Entry {
  readonly account: Account;
  /** Infinity where all rules on the account are soft. */
  limit: NanoUsd;
  /** How a stream ends that this limit cuts. */
  onExhausted: OnExhausted;
  /** The scope in the caller's own words. */
  readonly shown: string;
  /** The caller's alone: its key, or something it claimed. */
  readonly own: boolean;
  readonly alerts: Alert[];
}

/** A limit that is reported when these shares of it are passed. */
export interface Alert {
  readonly limit: NanoUsd;
  readonly at: readonly number[];
}

export interface Scopes {
  ofCaller(caller: Caller, budgets: readonly BudgetRule[], now: number): readonly Entry[];
  ofTarget(target: Target, budgets: readonly BudgetRule[], now: number): readonly Entry[];
  ofClaims(caller: Caller, claims: readonly Scoped[], budgets: readonly BudgetRule[], now: number): readonly Entry[];
}

interface Rules {
  readonly exact: ReadonlyMap<string, readonly BudgetRule[]>;
  readonly wildcards: readonly { prefix: string; rule: BudgetRule }[];
  readonly onTargets: boolean;
}

const none: readonly Entry[] = [];
/** A soft budget that names no share is told of when it is passed. */
const whenPassed: readonly number[] = [1];

export function createScopes(accounts: Accounts): Scopes {
  // A caller and a list of rules keep their identity from request to request, so that matching is done once for each.
  const compiled = new WeakMap<readonly BudgetRule[], Rules>();
  const resolved = new WeakMap<Caller, { budgets: readonly BudgetRule[]; entries: readonly Entry[] }>();

  const rulesOf = (budgets: readonly BudgetRule[]): Rules => {
    let rules = compiled.get(budgets);
    if (!rules) {
      rules = compile(budgets);
      compiled.set(budgets, rules);
    }
    return rules;
  };

  return {
    ofCaller(caller, budgets, now) {
      const known = resolved.get(caller);
      if (known?.budgets === budgets) return known.entries;
      const rules = rulesOf(budgets);
      const entries: Entry[] = [];
      for (const scope of new Set(caller.scopes)) {
        const own = scope === `key:${caller.keyId}`;
        for (const rule of matching(rules, scope)) {
          const account = accounts.find(scope, rule.per, rule.timezone, now);
          add(entries, entryOf(account, rule, scope, own));
        }
      }
      if (caller.budget) {
        const scope = `key:${caller.keyId}`;
        const account = accounts.find(scope, caller.budget.per, 'UTC', now);
        add(entries, entryOf(account, caller.budget, scope, true));
      }
      resolved.set(caller, { budgets, entries });
      return entries;
    },
    ofTarget(target, budgets, now) {
      const rules = rulesOf(budgets);
      if (!rules.onTargets) return none;
      const entries: Entry[] = [];
      for (const scope of scopesOfTarget(target)) {
        for (const rule of matching(rules, scope)) {
          const account = accounts.find(scope, rule.per, rule.timezone, now);
          add(entries, entryOf(account, rule, scope, false));
        }
      }
      return entries;
    },
    ofClaims(caller, claims, budgets, now) {
      if (claims.length === 0) return none;
      const rules = rulesOf(budgets);
      const entries: Entry[] = [];
      const put = (scope: string, limits: Limits): void => {
        const account = accounts.claim(caller, scope, limits.per, limits.timezone ?? 'UTC', now);
        add(entries, entryOf(account, limits, scope, true));
      };
      for (const { scope, budget } of claims) {
        for (const rule of matching(rules, scope)) put(scope, rule);
        if (budget) put(scope, budget);
      }
      return entries;
    },
  };
}

/** What a rule and a budget of a key or claim have in common. */
type Limits = Pick<BudgetRule, 'limit' | 'per'> &
  Partial<Pick<BudgetRule, 'timezone' | 'alertAt' | 'soft' | 'onExhausted'>>;

function entryOf(account: Account, limits: Limits, shown: string, own: boolean): Entry {
  const { limit, alertAt = [], soft, onExhausted = 'error' } = limits;
  const at = alertAt.length === 0 && soft ? whenPassed : alertAt;
  const alerts = at.length === 0 ? [] : [{ limit, at }];
  return { account, limit: soft ? Number.POSITIVE_INFINITY : limit, onExhausted, shown, own, alerts };
}

function add(entries: Entry[], entry: Entry): void {
  const same = entries.find((each) => each.account === entry.account);
  if (!same) {
    entries.push(entry);
    return;
  }
  same.alerts.push(...entry.alerts);
  if (entry.limit >= same.limit) return;
  same.limit = entry.limit;
  same.onExhausted = entry.onExhausted;
}

function compile(budgets: readonly BudgetRule[]): Rules {
  const exact = new Map<string, BudgetRule[]>();
  const wildcards: { prefix: string; rule: BudgetRule }[] = [];
  for (const rule of budgets) {
    if (rule.scope.endsWith('*')) wildcards.push({ prefix: rule.scope.slice(0, -1), rule });
    else exact.set(rule.scope, [...(exact.get(rule.scope) ?? []), rule]);
  }
  return { exact, wildcards, onTargets: budgets.some((rule) => /^(model|provider):/.test(rule.scope)) };
}

/** All rules count, the exact and the wildcard ones: no written limit is ever passed. */
function matching(rules: Rules, scope: string): BudgetRule[] {
  const found = [...(rules.exact.get(scope) ?? [])];
  for (const { prefix, rule } of rules.wildcards) if (scope.startsWith(prefix)) found.push(rule);
  return found;
}
