// The four movements of money: hold, move, top up, close. Each changes all its accounts or none.

import type { Caller } from '../exchange/caller.ts';
import type { Scoped } from '../exchange/hold.ts';
import type { NanoUsd } from '../exchange/money.ts';
import type { BudgetRule } from '../exchange/policy.ts';
import type { Receipt } from '../exchange/receipt.ts';
import { Refusal } from '../exchange/refusal.ts';
import type { Target } from '../exchange/target.ts';
import type { World } from '../world/world.ts';
import { type Bucket, current } from './accounts.ts';
import { budgetExceeded } from './exceeded.ts';
import { type Journal, unavailable } from './journal.ts';
import { type OpenHold, type Place, postings, stageOf, standing } from './open-hold.ts';
import { adjustJson, holdJson, postingsJson, receiptJson } from './rows.ts';
import type { Entry, Scopes } from './scopes.ts';

export interface HoldWants {
  /** The exchange's id: one hold each. */
  readonly id: string;
  readonly caller: Caller;
  readonly target: Target;
  readonly amount: NanoUsd;
  /** With less than this the request is not worth admitting. */
  readonly minimum: NanoUsd;
  readonly budgets: readonly BudgetRule[];
  readonly extra: readonly Scoped[];
}

export interface Ledger extends Pick<World, 'clock' | 'log'> {
  readonly journal: Journal;
  readonly scopes: Scopes;
  readonly open: Map<string, OpenHold>;
}

export function hold(ledger: Ledger, wants: HoldWants): OpenHold {
  const { id, caller, target, amount, budgets } = wants;
  const { journal, scopes, open } = ledger;
  if (journal.failing) throw unavailable();
  if (!isAmount(amount) || open.has(id)) throw new Refusal('internal', 'The gateway could not price this request.');
  const now = ledger.clock.now();
  const ofCaller = scopes.ofCaller(caller, budgets, now);
  const ofClaims = scopes.ofClaims(caller, wants.extra, budgets, now);
  const shared = ofClaims.length === 0 ? ofCaller : [...ofCaller, ...ofClaims];
  const onTarget = scopes.ofTarget(target, budgets, now);
  const minimum = Math.min(wants.minimum, amount);
  const granted = Math.min(amount, Math.max(0, spare(shared, now)), Math.max(0, spare(onTarget, now)));
  if (granted < minimum || (amount > 0 && granted === 0)) {
    throw budgetExceeded(caller, [...shared, ...onTarget], now, Math.max(1, minimum));
  }
  const taken: OpenHold = {
    id,
    target,
    amount: granted,
    keyId: caller.keyId,
    budgets,
    at: now,
    shared: shared.map((entry) => ({ entry, bucket: current(entry.account, now) })),
    stages: [stageOf(target, onTarget, now)],
  };
  for (const { bucket } of taken.shared) bucket.held += granted;
  for (const { bucket } of standing(taken)) bucket.held += granted;
  open.set(id, taken);
  journal.append(holdJson(taken));
  return taken;
}

export function move(ledger: Ledger, moved: OpenHold, target: Target, amount: NanoUsd): boolean {
  const { journal, scopes } = ledger;
  if (journal.failing || !isAmount(amount)) return false;
  const now = ledger.clock.now();
  const before = { target: moved.target, amount: moved.amount };
  const left = standing(moved);
  const stage = stageOf(target, scopes.ofTarget(target, moved.budgets, now), now);
  // An account under both targets already carries what is held now.
  const fits = (place: Place, carried: NanoUsd): boolean => amount <= carried || free(place) + carried >= amount;
  const carriedBy = (bucket: Bucket): NanoUsd => (left.some((place) => place.bucket === bucket) ? before.amount : 0);
  if (!moved.shared.every((place) => fits(place, before.amount))) return false;
  if (!stage.places.every((place) => fits(place, carriedBy(place.bucket)))) return false;

  shift(moved, left, stage.places, amount);
  moved.stages.push(stage);
  moved.target = target;
  if (journal.write(adjustJson(moved, now, true))) return true;
  moved.stages.pop();
  moved.target = before.target;
  shift(moved, stage.places, left, before.amount);
  return false;
}

export function topUp(ledger: Ledger, raised: OpenHold, amount: NanoUsd): boolean {
  const { journal } = ledger;
  if (journal.failing || !isAmount(amount)) return false;
  const places = standing(raised);
  const fits = (place: Place): boolean => free(place) >= amount;
  if (!raised.shared.every(fits) || !places.every(fits)) return false;
  const before = raised.amount;
  shift(raised, places, places, before + amount);
  if (journal.write(adjustJson(raised, ledger.clock.now(), false))) return true;
  shift(raised, places, places, before);
  return false;
}

export function close(ledger: Ledger, closed: OpenHold, told: Receipt): void {
  // A cost that is no amount would corrupt every sum after it: the held amount stands in for it.
  const receipt = isAmount(told.cost) ? told : { ...told, cost: closed.amount, estimated: true };
  const posted = postings(closed, receipt);
  ledger.open.delete(closed.id);
  shift(closed, standing(closed), [], 0);
  for (const { place, amount } of posted) {
    place.bucket.posted += amount;
    if (place.entry.alertAt.length > 0) alert(ledger, place);
  }
  ledger.journal.settle(receiptJson(receipt, postingsJson(closed, posted, receipt.cost)), true);
}

/** Takes the hold off one set of target accounts and puts it on another, with a new amount, everywhere. */
function shift(shifted: OpenHold, from: readonly Place[], to: readonly Place[], amount: NanoUsd): void {
  for (const { bucket } of shifted.shared) bucket.held += amount - shifted.amount;
  for (const { bucket } of from) bucket.held -= shifted.amount;
  for (const { bucket } of to) bucket.held += amount;
  shifted.amount = amount;
}

function free({ entry, bucket }: Place): NanoUsd {
  return entry.limit - bucket.posted - bucket.held;
}

/** The least that is left of them; Infinity where nothing limits. */
export function spare(entries: readonly Entry[], now: number): NanoUsd {
  let least = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    const { posted, held } = current(entry.account, now);
    const left = entry.limit - posted - held;
    if (left < least) least = left;
  }
  return least;
}

function isAmount(amount: number): boolean {
  return Number.isSafeInteger(amount) && amount >= 0;
}

function alert({ log }: Ledger, { entry, bucket }: Place): void {
  const limit = entry.soft ?? entry.limit;
  const share = Math.max(0, ...entry.alertAt.filter((each) => bucket.posted >= each * limit));
  if (share <= bucket.alerted) return;
  bucket.alerted = share;
  log.warn('budget_alert', { scope: entry.account.scope, window: bucket.window.id, share, limit });
}
