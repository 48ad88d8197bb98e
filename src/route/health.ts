// One table of which targets are ill: consecutive failures cool a target down, each cooling twice as long as the last.

import type { Target } from '../exchange/target.ts';
import type { Clock } from '../world/world.ts';

export interface ProviderHealth {
  readonly provider: string;
  readonly up: boolean;
}

export interface Health {
  up(target: Target): boolean;
  report(target: Target, ok: boolean, retryAfter?: number): void;
  list(): readonly ProviderHealth[];
}

/** One failure is chance; this many in a row are a state. */
const failuresToCool = 3;
const coolingMs = 5_000;
const coolingMsMax = 300_000;
/** A provider that asks for an hour is asked again after this. */
const retryAfterMsMax = 600_000;

/** Model names come from clients: past this many ill targets the one that failed longest ago is forgotten. */
const targetsMax = 2_000;

interface Illness {
  readonly provider: string;
  failures: number;
  /** Length of the next cooling. */
  nextMs: number;
  since: number;
  until: number;
}

export function createHealth(clock: Pick<Clock, 'monotonic'>): Health {
  const ill = new Map<string, Illness>();
  /** By provider; the configuration bounds it. */
  const succeededAt = new Map<string, number>();
  const key = (target: Target): string => `${target.provider.name}/${target.model}`;

  const fail = (target: Target, retryAfter: number | undefined): void => {
    const now = clock.monotonic();
    const name = key(target);
    const provider = target.provider.name;
    const illness = ill.get(name) ?? { provider, failures: 0, nextMs: coolingMs, since: now, until: now };
    illness.failures += 1;
    // A hundred requests that were in flight together fail together: that is one illness, not a hundred.
    if (illness.until <= now && illness.failures >= failuresToCool) {
      illness.since = now;
      illness.until = now + illness.nextMs;
      illness.nextMs = Math.min(illness.nextMs * 2, coolingMsMax);
    }
    if (retryAfter !== undefined && retryAfter > 0) {
      if (illness.until <= now) illness.since = now;
      illness.until = Math.max(illness.until, now + Math.min(retryAfter * 1000, retryAfterMsMax));
    }
    ill.delete(name);
    ill.set(name, illness);
    const [oldest] = ill.keys();
    if (ill.size > targetsMax && oldest !== undefined) ill.delete(oldest);
  };

  return {
    up(target) {
      const illness = ill.size === 0 ? undefined : ill.get(key(target));
      return !illness || illness.until <= clock.monotonic();
    },
    report(target, ok, retryAfter) {
      const provider = target.provider.name;
      if (ok) {
        ill.delete(key(target));
        succeededAt.set(provider, clock.monotonic());
        return;
      }
      if (!succeededAt.has(provider)) succeededAt.set(provider, Number.NEGATIVE_INFINITY);
      fail(target, retryAfter);
    },
    list() {
      const now = clock.monotonic();
      const cooling = [...ill.values()].filter((each) => each.until > now);
      return [...succeededAt].map(([provider, at]) => ({
        provider,
        // One ill model is not an ill provider while another of its models has answered since.
        up: !cooling.some((each) => each.provider === provider && each.since >= at),
      }));
    },
  };
}
