// The four movements of money: hold, move, top up, close. Each changes all its accounts or none.

import type { Caller } from '../exchange/caller.ts';
import type { Scoped } from '../exchange/hold.ts';
import type { NanoUsd } from '../exchange/money.ts';
import type { BudgetRule } from '../exchange/policy.ts';
import type { Receipt } from '../exchange/receipt.ts';
import { Refusal } from '../exchange/refusal.ts';
import type { Roster } from '../exchange/roster.ts';
import type { Target } from '../exchange/target.ts';
import type { World } from '../world/world.ts';
import { type Bucket, current, freeUnder, leftOf } from './accounts.ts';
import { budgetExceeded } from './exceeded.ts';
import { type Journal, unavailable } from './journal.ts';
import type { Lack, Leases } from './leases.ts';
import { type About, type OpenHold, type Place, postings, stageOf, standing } from './open-hold.ts';
import { adjustJson, holdJson, postingsJson, receiptJson } from './rows.ts';
import type { Entry, Scopes } from './scopes.ts';

export interface HoldWants {
  /** The exchange's id: one hold at a time each. */
  readonly id: string;
  readonly caller: Caller;
  readonly target: Target;
  readonly amount: NanoUsd;
  /** With less than this the request is not worth admitting. */
  readonly minimum: NanoUsd;
  readonly budgets: readonly BudgetRule[];
  readonly extra: readonly Scoped[];
  /** For the receipt, should this process die before it writes one. */
  readonly about?: About | undefined;
}

export interface Ledger extends Pick<World, 'clock' | 'log'> {
  readonly journal: Journal;
  readonly scopes: Scopes;
  readonly open: Roster<OpenHold>;
  readonly live: Live;
  /** Epoch ms by which windows begin and end: the bank's where there is one. */
  now(): number;
  /** Absent where this process owns its accounts alone. */
  readonly leases?: Leases;
}

/** What may change while a hold is open. */
export interface Live {
  /** The same array until one of them changes. */
  budgets(): readonly BudgetRule[];
  /** The same caller as its key and its units stand now. */
  caller(known: Caller): Caller;
}

/** Takes what is there, at least the minimum; `whole` takes all or says what is lacking in slices that might grow. */
export function hold(ledger: Ledger, wants: HoldWants, whole: true): OpenHold | readonly Lack[];
export function hold(ledger: Ledger, wants: HoldWants, whole: false): OpenHold;
export function hold(ledger: Ledger, wants: HoldWants, whole: boolean): OpenHold | readonly Lack[] {
  const { id, caller, target, amount, budgets } = wants;
  const { journal, scopes, open } = ledger;
  if (journal.failing) throw unavailable();
  if (!isAmount(amount)) throw new Refusal('internal', 'The gateway could not price this request.');
  const now = ledger.now();
  const ofCaller = scopes.ofCaller(caller, budgets, now);
  const ofClaims = scopes.ofClaims(caller, wants.extra, budgets, now);
  const shared = ofClaims.length === 0 ? ofCaller : [...ofCaller, ...ofClaims];
  const onTarget = scopes.ofTarget(target, budgets, now);
  const minimum = Math.min(wants.minimum, amount);
  if (whole && ledger.leases) {
    const lacks = lacking([...shared, ...onTarget], amount, now);
    if (lacks.length > 0) return lacks;
  }
  const granted = Math.min(amount, Math.max(0, spare(shared, now)), Math.max(0, spare(onTarget, now)));
  if (granted < minimum || (amount > 0 && granted === 0)) {
    throw budgetExceeded(caller, [...shared, ...onTarget], now, Math.max(1, minimum));
  }
  const taken: OpenHold = {
    seat: -1,
    id,
    target,
    amount: granted,
    caller,
    extra: wants.extra,
    budgets,
    at: now,
    shared: shared.map((entry) => ({ entry, bucket: current(entry.account, now) })),
    stages: [stageOf(target, onTarget, now)],
    about: wants.about,
    number: 0,
    joined: false,
  };
  for (const { bucket } of taken.shared) bucket.held += granted;
  for (const { bucket } of standing(taken)) bucket.held += granted;
  open.add(taken);
  tell(ledger, taken);
  journal.append(holdJson(taken));
  return taken;
}

/** What a move to this target lacks in slices that might grow; none for a sole owner. */
export function moveLacks(ledger: Ledger, moved: OpenHold, target: Target, amount: NanoUsd): readonly Lack[] {
  if (!ledger.leases) return none;
  const now = ledger.now();
  const more = lacking(entriesOf(moved.shared), Math.max(0, amount - moved.amount), now);
  return [...more, ...lacking(ledger.scopes.ofTarget(target, moved.budgets, now), amount, now)];
}

export function move(ledger: Ledger, moved: OpenHold, target: Target, amount: NanoUsd): boolean {
  const { journal, scopes } = ledger;
  if (journal.failing || !isAmount(amount)) return false;
  const now = ledger.now();
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
  if (journal.write(adjustJson(moved, ledger.clock.now(), 'moved'))) {
    moved.joined = false;
    return true;
  }
  moved.stages.pop();
  moved.target = before.target;
  shift(moved, stage.places, left, before.amount);
  return false;
}

/** What a top-up lacks in slices that might grow; none for a sole owner. */
export function topUpLacks(ledger: Ledger, raised: OpenHold, amount: NanoUsd): readonly Lack[] {
  if (!ledger.leases) return none;
  reread(ledger, raised);
  return [...raised.shared, ...standing(raised)].flatMap(({ entry, bucket }) => lackOf(entry, bucket, amount));
}

export function topUp(ledger: Ledger, raised: OpenHold, amount: NanoUsd): boolean {
  const { journal } = ledger;
  if (journal.failing || !isAmount(amount)) return false;
  reread(ledger, raised);
  const places = standing(raised);
  const fits = (place: Place): boolean => free(place) >= amount;
  if (!raised.shared.every(fits) || !places.every(fits)) return false;
  const before = raised.amount;
  shift(raised, places, places, before + amount);
  if (journal.write(adjustJson(raised, ledger.clock.now(), raised.joined ? 'joined' : 'same'))) {
    raised.joined = false;
    tell(ledger, raised);
    return true;
  }
  shift(raised, places, places, before);
  return false;
}

export function close(ledger: Ledger, closed: OpenHold, told: Receipt): void {
  // A cost that is no amount would corrupt every sum after it: the held amount stands in for it.
  const receipt = isAmount(told.cost) ? told : { ...told, cost: closed.amount, estimated: true };
  const posted = postings(closed, receipt);
  ledger.open.remove(closed);
  shift(closed, standing(closed), [], 0);
  for (const { place, amount } of posted) {
    place.bucket.posted += amount;
    if (place.entry.alerts.length > 0) alert(ledger, place);
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

/** Limits act at once: an open hold that asks for more stands under those of this moment. */
function reread({ live, scopes, now }: Ledger, raised: OpenHold): void {
  const budgets = live.budgets();
  const caller = live.caller(raised.caller);
  if (budgets === raised.budgets && caller === raised.caller) return;
  raised.budgets = budgets;
  raised.caller = caller;
  const at = now();
  const shared = [...scopes.ofCaller(caller, budgets, at), ...scopes.ofClaims(caller, raised.extra, budgets, at)];
  const onTarget = scopes.ofTarget(raised.target, budgets, at);
  const byAccount = new Map([...shared, ...onTarget].map((entry) => [entry.account, entry]));
  const again = ({ entry, bucket }: Place): Place => ({
    entry: byAccount.get(entry.account) ?? { ...entry, limit: Number.POSITIVE_INFINITY, alerts: [] },
    bucket,
  });
  raised.shared = [...raised.shared.map(again), ...joining(raised, shared, raised.shared, at)];
  const last = raised.stages.pop();
  if (!last) return;
  const places = [...last.places.map(again), ...joining(raised, onTarget, last.places, at)];
  raised.stages.push({ target: last.target, places });
}

/** Accounts of budgets that were made while the hold was open: from here it stands on them with all that it holds. */
function joining(hold: OpenHold, entries: readonly Entry[], places: readonly Place[], now: number): Place[] {
  // An account that was swept and made anew is no new budget: the hold stays in the window it was taken in.
  const known = ({ account }: Entry): boolean =>
    places.some(({ entry }) => entry.account.scope === account.scope && entry.account.calendar === account.calendar);
  const added = entries
    .filter((entry) => !known(entry))
    .map((entry): Place => ({ entry, bucket: current(entry.account, now) }));
  for (const { bucket } of added) bucket.held += hold.amount;
  if (added.length > 0) hold.joined = true;
  return added;
}

/** The leases look whether there is enough left. */
function tell({ leases }: Ledger, taken: OpenHold): void {
  if (!leases) return;
  for (const { entry, bucket } of taken.shared) leases.taken(entry.account, bucket, entry.limit);
  for (const { entry, bucket } of standing(taken)) leases.taken(entry.account, bucket, entry.limit);
}

const none: readonly Lack[] = [];

function lacking(entries: readonly Entry[], amount: NanoUsd, now: number): readonly Lack[] {
  return entries.flatMap((entry) => lackOf(entry, current(entry.account, now), amount));
}

/** Empty where the amount is there, and where the limit itself is in the way. */
function lackOf({ account, limit }: Entry, bucket: Bucket, amount: NanoUsd): Lack[] {
  if (amount === 0 || limit <= bucket.leased || freeUnder(limit, bucket) >= amount) return [];
  return [{ account, bucket, limit, amount }];
}

function entriesOf(places: readonly Place[]): Entry[] {
  return places.map(({ entry }) => entry);
}

function free({ entry, bucket }: Place): NanoUsd {
  return freeUnder(entry.limit, bucket);
}

/** The least that is free of them; Infinity where nothing limits. */
export function spare(entries: readonly Entry[], now: number): NanoUsd {
  let least = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    const left = freeUnder(entry.limit, current(entry.account, now));
    if (left < least) least = left;
  }
  return least;
}

/** The same with what the bank said it could still give. */
export function left(entries: readonly Entry[], now: number): NanoUsd {
  let least = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    if (entry.limit === Number.POSITIVE_INFINITY) continue;
    least = Math.min(least, leftOf(entry.limit, current(entry.account, now)));
  }
  return least;
}

function isAmount(amount: number): boolean {
  return Number.isSafeInteger(amount) && amount >= 0;
}

function alert({ log }: Ledger, { entry, bucket }: Place): void {
  const posted = bucket.posted + bucket.elsewhere.posted;
  for (const { limit, at } of entry.alerts) {
    for (const share of at) {
      const threshold = share * limit;
      if (posted < threshold || threshold <= bucket.alerted) continue;
      log.warn('budget_alert', { scope: entry.account.scope, window: bucket.window.id, share, limit });
    }
  }
  bucket.alerted = Math.max(bucket.alerted, posted);
}
