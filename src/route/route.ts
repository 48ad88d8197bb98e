// Where a request may go: the client's model name made into ordered targets, and what may be tried after a failure.

import type { Caller } from '../exchange/caller.ts';
import type { Outline } from '../exchange/outline.ts';
import type { UpstreamFailure } from '../exchange/part.ts';
import type { Snapshot } from '../exchange/policy.ts';
import type { Prices } from '../exchange/rate.ts';
import type { Plan, Target } from '../exchange/target.ts';
import type { CallFailure } from '../exchange/wire.ts';
import type { Clock, Random } from '../world/world.ts';
import { createHealth, type ProviderHealth } from './health.ts';
import { orderTargets } from './order.ts';
import { type KnownProvider, mayUse, remedyFor, resolve } from './resolve.ts';
import { type Retry, retryRule } from './retry.ts';

export interface PlanWants {
  readonly model: string;
  /** `X-LLM-Provider`. */
  readonly providerHeader?: string | undefined;
  readonly caller: Caller;
  readonly outline: Outline;
  readonly snapshot: Snapshot;
}

export interface ModelEntry {
  readonly id: string;
  readonly owned_by: string;
}

export interface Route {
  /** Throws `unknown_model`, naming the environment variable to set where one would help, and `not_allowed`. */
  plan(wants: PlanWants): Plan;
  /** `attempt` counts the attempts on the same target so far, this one included. */
  retry(failure: UpstreamFailure | CallFailure, attempt?: number): Retry;
  /**
   * How an attempt went. Report `false` only for what says something of the target (where `retry` is not `no`),
   * so that a client's bad request cannot push a provider back. `retryAfter` in seconds.
   */
  report(target: Target, ok: boolean, retryAfter?: number): void;
  /** Providers that have been tried, in the order of their first attempt. */
  health(): readonly ProviderHealth[];
  /** What a key may use: aliases first, then the catalogue's models of each configured provider. */
  models(caller: Caller, snapshot: Snapshot): readonly ModelEntry[];
  /** What to set so that a provider, provider/model or bare model is served; empty where nothing is known of it. */
  remedy(wanted: string): string;
}

/** A list for menus; OpenRouter alone has 700. */
const listedModelsMax = 2000;
/** Characters of a name that is asked about: patterns are tried on it. */
const wantedMax = 256;

/** `known` are the rows of providers that could be configured, for the message that says what to set. */
export function createRoute(
  clock: Pick<Clock, 'now' | 'monotonic'>,
  random: Pick<Random, 'fraction'>,
  prices: Pick<Prices, 'rate' | 'models'>,
  known: readonly KnownProvider[] = [],
): Route {
  const health = createHealth(clock);
  return {
    remedy: (wanted) => remedyFor(wanted.slice(0, wantedMax), known),
    plan(wants) {
      const { targets, alias } = resolve(wants, known);
      if (!alias) return { targets };
      const ordered = orderTargets(targets, alias.strategy, {
        health,
        random,
        price: (target) => listPrice(prices, target, wants.snapshot, clock.now()),
      });
      return { targets: ordered, rule: alias.name };
    },
    retry: retryRule,
    report: (target, ok, retryAfter) => health.report(target, ok, retryAfter),
    health: () => health.list(),
    models: (caller, snapshot) => listModels(prices, caller, snapshot),
  };
}

/** Input and output of the first tier, pico-USD; what has no price cannot be served and comes last. */
function listPrice(prices: Pick<Prices, 'rate'>, target: Target, snapshot: Snapshot, at: number): number {
  const rate = prices.rate(target, snapshot.prices, at);
  if (rate?.free) return 0;
  const { input, output } = rate?.tiers[0].prices ?? {};
  return input === undefined || output === undefined ? Number.POSITIVE_INFINITY : input + output;
}

function listModels(prices: Pick<Prices, 'models'>, caller: Caller, snapshot: Snapshot): ModelEntry[] {
  const list: ModelEntry[] = [];
  for (const alias of snapshot.aliases.values()) {
    const usable = mayUse(caller, alias.name) || alias.targets.some((each) => mayUse(caller, each, snapshot));
    if (usable) list.push({ id: alias.name, owned_by: 'tollgate' });
  }
  for (const provider of snapshot.providers.values()) {
    for (const model of prices.models(provider.catalogue)) {
      if (list.length >= listedModelsMax) return list;
      if (mayUse(caller, { provider, model }, snapshot)) {
        list.push({ id: `${provider.name}/${model}`, owned_by: provider.name });
      }
    }
  }
  return list;
}
