// Requests, tokens and concurrency in fixed windows: an entry takes its share of every limit at once, or of none.

import type { Caller } from '../exchange/caller.ts';
import type { LimitRule } from '../exchange/policy.ts';
import { Refusal } from '../exchange/refusal.ts';
import type { Clock } from '../world/world.ts';
import { type Account, createAccounts } from './accounts.ts';

export interface EnterWants {
  readonly caller: Caller;
  readonly limits: readonly LimitRule[];
  /** Estimated, input and output together; corrected when the request leaves. */
  readonly tokens: number;
  /** Scopes that do not come from the credential (`run:…`, `model:…`). They add limits, they never lift one. */
  readonly scopes?: readonly string[];
}

export interface LimitOptions {
  /** Past this many live scopes, new ones share one count: flooding names cannot lift a limit. */
  readonly scopesMax?: number;
  /** A concurrency slot whose request never left is free again after this; longer than any request may take. */
  readonly leaseMs?: number;
}

export interface Limit {
  /**
   * Throws `rate_limited` with `retryAfter` in seconds, and `too_large` where the request is bigger than a whole window
   * allows. The answer is called once when the request is over, with the tokens it really used; more calls do nothing.
   */
  enter(wants: EnterWants): (tokens: number) => void;
}

/** Concurrency has no window to wait for. */
const retryConcurrencySeconds = 1;

interface Taken {
  readonly account: Account;
  readonly window: number;
}

interface Wait {
  readonly seconds: number;
  readonly text: string;
  readonly rule: LimitRule;
  readonly scope: string;
}

export function createLimit(clock: Pick<Clock, 'now' | 'monotonic'>, options: LimitOptions = {}): Limit {
  const accounts = createAccounts({ scopesMax: options.scopesMax ?? 100_000, leaseMs: options.leaseMs ?? 7_200_000 });

  return {
    enter(wants) {
      const now = clock.now();
      const monotonic = clock.monotonic();
      const tokens = Math.max(0, Math.ceil(wants.tokens));
      const found = new Set<Account>();
      let longest: Wait | undefined;
      for (const rule of wants.limits) {
        for (const scope of matchingScopes(rule.scope, wants)) {
          const account = accounts.open(rule.per, scope, now, monotonic);
          found.add(account);
          const wait = waitFor(rule, scope, account, tokens, now);
          if (wait && (!longest || wait.seconds > longest.seconds)) longest = wait;
        }
      }
      if (longest) throw refusal(longest);

      const lease = {};
      const taken: Taken[] = [];
      for (const account of found) {
        account.requests += 1;
        account.tokens += tokens;
        account.leases.set(lease, monotonic);
        taken.push({ account, window: account.window });
      }
      let left = false;
      return (used) => {
        if (left) return;
        left = true;
        for (const { account, window } of taken) {
          account.leases.delete(lease);
          // A window that has passed meanwhile is history; the new one has not seen these tokens.
          if (account.window === window) account.tokens = Math.max(0, account.tokens + Math.ceil(used) - tokens);
        }
      };
    },
  };
}

function matchingScopes(pattern: string, wants: EnterWants): readonly string[] {
  const matches = (scope: string): boolean =>
    pattern.endsWith('*') ? scope.startsWith(pattern.slice(0, -1)) : scope === pattern;
  const matched = wants.caller.scopes.filter(matches);
  return wants.scopes ? [...matched, ...wants.scopes.filter(matches)] : matched;
}

function waitFor(rule: LimitRule, scope: string, account: Account, tokens: number, now: number): Wait | undefined {
  const seconds = Math.max(1, Math.ceil((account.endsAt - now) / 1000));
  if (rule.tokens !== undefined && tokens > rule.tokens) {
    const text = `The request needs about ${tokens} tokens; ${name(scope)} may use ${rule.tokens} a ${rule.per} in all`;
    throw new Refusal('too_large', `${text}. Send less, or ask for fewer output tokens.`, {
      facts: facts(rule, scope),
    });
  }
  if (rule.requests !== undefined && account.requests + 1 > rule.requests) {
    return { seconds, text: `make ${rule.requests} requests a ${rule.per}`, rule, scope };
  }
  if (rule.tokens !== undefined && account.tokens + tokens > rule.tokens) {
    return { seconds, text: `use ${rule.tokens} tokens a ${rule.per}`, rule, scope };
  }
  if (rule.concurrency !== undefined && account.leases.size + 1 > rule.concurrency) {
    return { seconds: retryConcurrencySeconds, text: `have ${rule.concurrency} requests open at a time`, rule, scope };
  }
  return undefined;
}

function refusal(wait: Wait): Refusal {
  const message = `Limit reached: ${name(wait.scope)} may ${wait.text}. Try again in ${wait.seconds} s.`;
  return new Refusal('rate_limited', message, { retryAfter: wait.seconds, facts: facts(wait.rule, wait.scope) });
}

/** All of them are the caller's own; the id says nothing to a person that the kind does not. */
function name(scope: string): string {
  return scope === 'global' ? 'this gateway' : `this ${scope.slice(0, Math.max(0, scope.indexOf(':'))) || scope}`;
}

function facts(rule: LimitRule, scope: string): Readonly<Record<string, string>> {
  return { scope, per: rule.per };
}
