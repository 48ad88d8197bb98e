// A hold from the inside: the buckets it stands on, and what its receipt posts to each of them.

import type { Caller } from '../exchange/caller.ts';
import type { Format } from '../exchange/format.ts';
import type { Scoped } from '../exchange/hold.ts';
import type { NanoUsd } from '../exchange/money.ts';
import type { BudgetRule } from '../exchange/policy.ts';
import type { Receipt } from '../exchange/receipt.ts';
import type { Listed } from '../exchange/roster.ts';
import type { Target } from '../exchange/target.ts';
import { type Bucket, current } from './accounts.ts';
import type { Entry } from './scopes.ts';

/** The bucket in which an entry's account was when the hold came to it. */
export interface Place {
  readonly entry: Entry;
  readonly bucket: Bucket;
}

/** A target the hold stood on, with the accounts of that target alone (`provider:`, `model:`). */
export interface Stage {
  readonly target: Target;
  readonly places: readonly Place[];
}

/** What the receipt of an exchange says beside its money, should its process die. */
export interface About {
  readonly format: Format;
  readonly asked: string;
  readonly stream: boolean;
}

export interface OpenHold extends Listed {
  readonly id: string;
  target: Target;
  amount: NanoUsd;
  /** As it stood when it last asked for money. */
  caller: Caller;
  readonly extra: readonly Scoped[];
  budgets: readonly BudgetRule[];
  /** Epoch ms at which it was taken. */
  readonly at: number;
  /** The accounts of caller and claims: they stay whatever the target. */
  shared: readonly Place[];
  /** Every target so far; it stands on the last one. */
  readonly stages: Stage[];
  readonly about: About | undefined;
  /** Adjust rows made so far. */
  number: number;
  /** Whether accounts came to it that the journal's last row with accounts does not name. */
  joined: boolean;
}

export interface Posting {
  readonly place: Place;
  readonly amount: NanoUsd;
}

const nowhere: readonly Place[] = [];

export function stageOf(target: Target, entries: readonly Entry[], now: number): Stage {
  const places =
    entries.length === 0 ? nowhere : entries.map((entry) => ({ entry, bucket: current(entry.account, now) }));
  return { target, places };
}

/** Where the hold stands now beside its shared accounts. */
export function standing(hold: OpenHold): readonly Place[] {
  return hold.stages.at(-1)?.places ?? nowhere;
}

/** The whole cost to every shared account; to a target's accounts what was charged for that target. */
export function postings(hold: OpenHold, receipt: Receipt): Posting[] {
  const { cost } = receipt;
  const posted = hold.shared.map((place): Posting => ({ place, amount: cost }));
  if (hold.stages.every((stage) => stage.places.length === 0)) return posted;
  const last = hold.stages.length - 1;
  const shares = new Array<NanoUsd>(hold.stages.length).fill(0);
  let rest = cost;
  for (const charge of receipt.charges) {
    const stage = stageCharged(hold, charge.provider, charge.model);
    const share = Math.max(0, Math.min(charge.cost, rest));
    shares[stage] = (shares[stage] ?? 0) + share;
    rest -= share;
  }
  shares[last] = (shares[last] ?? 0) + rest;
  const byBucket = new Map<Bucket, Posting>();
  hold.stages.forEach((stage, index) => {
    for (const place of stage.places) {
      const amount = (byBucket.get(place.bucket)?.amount ?? 0) + (shares[index] ?? 0);
      byBucket.set(place.bucket, { place, amount });
    }
  });
  return [...posted, ...byBucket.values()];
}

/** The stage a charge belongs to: same provider and model, else same provider (it may name a dated model), else the last. */
function stageCharged(hold: OpenHold, provider: string, model: string): number {
  const exact = hold.stages.findIndex(({ target }) => target.provider.name === provider && target.model === model);
  if (exact >= 0) return exact;
  const near = hold.stages.findLastIndex(({ target }) => target.provider.name === provider);
  return near >= 0 ? near : hold.stages.length - 1;
}
