// Requests, tokens and concurrency in fixed windows: an entry takes its share of every limit at once, or of none.

import type { Caller } from '../exchange/caller.ts';
import type { Scoped } from '../exchange/hold.ts';
import { namespaceOf } from '../exchange/namespace.ts';
import type { Outline } from '../exchange/outline.ts';
import type { LimitRule } from '../exchange/policy.ts';
import { Refusal } from '../exchange/refusal.ts';
import type { Clock } from '../world/world.ts';
import { type Account, createAccounts } from './accounts.ts';

export interface EnterWants {
  readonly caller: Caller;
  readonly limits: readonly LimitRule[];
  /** Estimated, input and output together; corrected when the request leaves. */
  readonly tokens: number;
  /** The part of `tokens` that is certain: a window smaller than this never lets the request in. All of them where unset. */
  readonly least?: number;
  /** What the request calls its own. It adds limits under the key's team or key, it never lifts one. */
  readonly claims?: readonly Scoped[];
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
   * allows; then nothing is taken.
   */
  enter(wants: EnterWants): Entrance;
}

/** A request inside. */
export interface Entrance {
  /**
   * Takes the limits of a target (`model:…`, `provider:…`) too. Throws as `enter` does; where the first one throws, what
   * the entry took is given back whole, as if the request had never come.
   */
  reach(scopes: readonly string[]): void;
  /** Called once when the request is over, with the tokens it really used; more calls do nothing. */
  leave(tokens: number): void;
}

/** Output that a request is counted with before anybody knows: its own limit, or this where that is more or unset. */
const expectedOutputTokens = 256;

/** What a request is expected to use, to be corrected when it is over. */
export function expectedTokens(inputTokens: number, { outputLimit, choices }: Outline): number {
  return inputTokens + Math.min(outputLimit ?? expectedOutputTokens, expectedOutputTokens) * choices;
}

const unlimited: Entrance = { reach() {}, leave() {} };

/** Concurrency has no window to wait for. */
const retryConcurrencySeconds = 1;

interface Taken {
  readonly account: Account;
  readonly window: number;
}

/** A scope as the rules name it, and the account it counts on. */
interface Place {
  readonly scope: string;
  readonly account: string;
}

interface Wait {
  readonly seconds: number;
  readonly text: string;
  readonly rule: LimitRule;
  readonly scope: string;
}

export function createLimit(clock: Pick<Clock, 'now' | 'monotonic'>, options: LimitOptions = {}): Limit {
  const accounts = createAccounts({ scopesMax: options.scopesMax ?? 100_000, leaseMs: options.leaseMs ?? 7_200_000 });

  /** Takes all that the rules ask of the places, or throws and takes nothing. */
  const take = (wants: EnterWants, places: readonly Place[], lease: object, taken: Taken[]): void => {
    const now = clock.now();
    const monotonic = clock.monotonic();
    const tokens = whole(wants.tokens);
    const found = new Set<Account>();
    let longest: Wait | undefined;
    for (const rule of wants.limits) {
      for (const { scope, account: name } of places) {
        if (!covers(rule.scope, scope)) continue;
        const account = accounts.open(rule.per, name, now, monotonic);
        if (taken.some((each) => each.account === account)) continue;
        found.add(account);
        const wait = waitFor(rule, scope, account, wants, now);
        if (wait && (!longest || wait.seconds > longest.seconds)) longest = wait;
      }
    }
    if (longest) throw refusal(longest);
    for (const account of found) {
      account.requests += 1;
      account.tokens += tokens;
      account.leases.set(lease, monotonic);
      taken.push({ account, window: account.window });
    }
  };

  return {
    enter(wants) {
      if (wants.limits.length === 0) return unlimited;
      const lease = {};
      const taken: Taken[] = [];
      take(wants, placesOf(wants), lease, taken);
      const tokens = whole(wants.tokens);
      let reached = false;
      let left = false;
      const end = (used: number, requests: number): void => {
        if (left) return;
        left = true;
        for (const { account, window } of taken) {
          account.leases.delete(lease);
          // A window that has passed meanwhile is history; the new one has not seen this request.
          if (account.window !== window) continue;
          account.tokens = Math.max(0, account.tokens + Math.ceil(used) - tokens);
          account.requests = Math.max(0, account.requests - requests);
        }
      };
      return {
        leave: (used) => end(used, 0),
        reach(scopes) {
          try {
            const places = scopes.map((scope) => ({ scope, account: scope }));
            take(wants, places, lease, taken);
            reached = true;
          } catch (error) {
            if (!reached) end(0, 1);
            throw error;
          }
        },
      };
    },
  };
}

function placesOf({ caller, claims = [] }: EnterWants): readonly Place[] {
  const places = caller.scopes.map((scope): Place => ({ scope, account: scope }));
  if (claims.length === 0) return places;
  const namespace = namespaceOf(caller);
  for (const { scope } of claims) places.push({ scope, account: `${namespace}/${scope}` });
  return places;
}

function covers(pattern: string, scope: string): boolean {
  return pattern.endsWith('*') ? scope.startsWith(pattern.slice(0, -1)) : scope === pattern;
}

function whole(tokens: number): number {
  return Math.max(0, Math.ceil(tokens));
}

function waitFor(rule: LimitRule, scope: string, account: Account, wants: EnterWants, now: number): Wait | undefined {
  const seconds = Math.max(1, Math.ceil((account.endsAt - now) / 1000));
  const tokens = whole(wants.tokens);
  const least = whole(wants.least ?? tokens);
  if (rule.tokens !== undefined && least > rule.tokens) {
    const text = `The request needs about ${least} tokens; ${name(scope)} may use ${rule.tokens} a ${rule.per} in all`;
    throw new Refusal('too_large', `${text}. Send less, or ask for fewer output tokens.`, {
      facts: facts(rule, scope),
    });
  }
  if (rule.requests !== undefined && account.requests + 1 > rule.requests) {
    return { seconds, text: `make ${rule.requests} requests a ${rule.per}`, rule, scope };
  }
  // What is only expected never asks for more than a whole window.
  if (rule.tokens !== undefined && account.tokens + Math.min(tokens, rule.tokens) > rule.tokens) {
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
  if (scope === 'global') return 'this gateway';
  return `this ${(scope.slice(0, Math.max(0, scope.indexOf(':'))) || scope).replaceAll('_', ' ')}`;
}

function facts(rule: LimitRule, scope: string): Readonly<Record<string, string>> {
  return { scope, per: rule.per };
}
