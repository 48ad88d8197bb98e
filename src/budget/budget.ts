// The ledger's door: money is held on all scopes at once or on none, moved, topped up, and posted exactly once.

import type { Bank } from '../exchange/bank.ts';
import type { Caller } from '../exchange/caller.ts';
import type { Balance, Hold, Scoped } from '../exchange/hold.ts';
import type { NanoUsd } from '../exchange/money.ts';
import type { BudgetRule } from '../exchange/policy.ts';
import type { CorrectionRow, Receipt } from '../exchange/receipt.ts';
import { Refusal } from '../exchange/refusal.ts';
import { createRoster } from '../exchange/roster.ts';
import type { Target } from '../exchange/target.ts';
import type { World } from '../world/world.ts';
import { type Accounts, createAccounts } from './accounts.ts';
import { balanceOf, ownBalances, type Remaining, tightest } from './balance.ts';
import { type Corrections, createCorrections } from './correct.ts';
import { budgetExceeded } from './exceeded.ts';
import { gather } from './gather.ts';
import type { Journal } from './journal.ts';
import { createLeases, type Lack, type Leases } from './leases.ts';
import {
  close,
  type HoldWants,
  hold,
  type Ledger,
  type Live,
  left,
  move,
  moveLacks,
  topUp,
  topUpLacks,
} from './ledger.ts';
import { type OpenHold, standing } from './open-hold.ts';
import { crashedReceipt, replay } from './recover.ts';
import { balancesJson, receiptJson } from './rows.ts';
import { createScopes } from './scopes.ts';
import { type Standing, standingOf } from './standing.ts';
import { createCalendars } from './window.ts';

export interface Budget {
  /**
   * Sets min(amount, available) aside on every scope. Throws `budget_exceeded` below the minimum, `ledger_unavailable`.
   * A promise, which may be broken by the same refusals and `budget_unavailable`, where the money must be asked for first.
   */
  hold(wants: HoldWants): Hold | Promise<Hold>;
  /** Puts the hold on another target, at another amount. False: not enough left, and nothing has changed. */
  move(hold: Hold, target: Target, amount: NanoUsd): boolean | Promise<boolean>;
  /** Raises the hold by `amount`. False: not enough left, or it could not be written down; nothing has changed. */
  topUp(hold: Hold, amount: NanoUsd): boolean | Promise<boolean>;
  /** What a hold of these scopes could have at most now, before anybody is asked for more; Infinity where nothing limits it. */
  available(wants: Pick<HoldWants, 'caller' | 'target' | 'budgets' | 'extra'>): NanoUsd;
  /** Why `amount` more is not to be had: the refusal to give the caller after a `topUp` or `move` that said false. */
  exceeded(hold: Hold, caller: Caller, amount: NanoUsd): Refusal;
  /** Posts the receipt's cost; the receipt is written when `settled` says so. A second close of a hold does nothing. Never throws. */
  close(hold: Hold | undefined, receipt: Receipt): void;
  /** For holds taken in this turn of the loop: they are in the file. Rejects with `ledger_unavailable`. */
  written(): Promise<void>;
  /** Kept once what is closed so far is written, as durably as can be; undefined where there is nothing to wait for. Before it no answer ends. */
  settled(): Promise<void> | undefined;
  /** Posts a correction once: false where its id is known. Throws `ledger_unavailable`, and nothing has changed. */
  correct(row: CorrectionRow): boolean;
  /** Every account as the journal has it up to a position, both of this moment: for those who check the books. */
  standing(): Standing;
  /** The tightest budget of the caller's key itself; undefined where it has none. */
  remaining(caller: Caller, budgets: readonly BudgetRule[]): Remaining | undefined;
  /** All that limits the caller's key and what it claims, and nothing that others spend from too. */
  own(caller: Caller, claims: readonly Scoped[], budgets: readonly BudgetRule[]): Balance[];
  /** Every account in use that one of these rules limits; named scopes also when nobody used them yet. */
  balances(budgets: readonly BudgetRule[]): Balance[];
  /** Holds that are open now. */
  readonly open: number;
  /** Ends what runs in the background. */
  stop(): void;
}

export interface BudgetOptions {
  readonly live: Live;
  /** Absent where this process owns its accounts alone. */
  readonly bank?: { readonly bank: Bank; readonly instance: string };
}

/** Reads the journal into its accounts, and closes what a dead process left open at the full held amount. */
export function createBudget(
  world: Pick<World, 'clock' | 'log'>,
  journal: Journal,
  { live, bank }: BudgetOptions,
): Budget {
  const { clock, log } = world;
  const accounts = createAccounts(createCalendars(), bank ? 0 : Number.POSITIVE_INFINITY);
  const base = { clock, log, journal, scopes: createScopes(accounts), open: createRoster<OpenHold>(), live };
  const corrections = begin({ ...base, now: clock.now }, accounts);
  const leases = bank && createLeases(world, bank.bank, bank.instance, [...accounts.all()]);
  const ledger: Ledger = { ...base, now: leases?.now ?? clock.now, ...(leases ? { leases } : {}) };
  const { now } = ledger;
  let known = live.budgets();

  /** Slices were cut to the limits that stood then. */
  const limitsChanged = (): void => {
    const budgets = live.budgets();
    if (budgets === known) return;
    known = budgets;
    leases?.release();
  };

  // One that is closed is no longer ours, whatever has its id by then.
  const find = (given: Hold): OpenHold | undefined => {
    const found = given as unknown as OpenHold;
    return ledger.open.has(found) ? found : undefined;
  };

  const holdLater = async (leases: Leases, wants: HoldWants, lacks: readonly Lack[]): Promise<Hold> => {
    const got = await gather(ledger, leases, lacks, () => hold(ledger, wants, true));
    if (typeof got === 'object') return got.done as unknown as Hold;
    if (!leases.ready) throw bankAway();
    try {
      return hold(ledger, wants, false) as unknown as Hold;
    } catch (error) {
      throw got === 'away' && isExceeded(error) ? bankAway() : error;
    }
  };

  /** At once where nothing is lacking. */
  const later = (
    leases: Leases,
    lacksNow: () => readonly Lack[],
    attempt: () => boolean,
  ): boolean | Promise<boolean> => {
    const first = lacksNow();
    if (first.length === 0) return attempt();
    const again = (): boolean | readonly Lack[] => {
      const lacks = lacksNow();
      return lacks.length === 0 ? attempt() : lacks;
    };
    return gather(ledger, leases, first, again).then((got) => typeof got === 'object' && got.done);
  };

  return {
    hold(wants) {
      if (!leases) return hold(ledger, wants, false) as unknown as Hold;
      limitsChanged();
      const taken = leases.ready ? hold(ledger, wants, true) : nothingKnown;
      return Array.isArray(taken) ? holdLater(leases, wants, taken) : (taken as unknown as Hold);
    },
    move(given, target, amount) {
      const found = find(given);
      if (!found) return false;
      // Whoever waited for money may have been ended meanwhile: what is closed must not be held on again.
      const attempt = (): boolean => find(given) === found && move(ledger, found, target, amount);
      return leases ? later(leases, () => moveLacks(ledger, found, target, amount), attempt) : attempt();
    },
    topUp(given, amount) {
      const found = find(given);
      if (!found) return false;
      const attempt = (): boolean => find(given) === found && topUp(ledger, found, amount);
      if (!leases) return attempt();
      limitsChanged();
      return later(leases, () => topUpLacks(ledger, found, amount), attempt);
    },
    available({ caller, target, budgets, extra }) {
      const { scopes } = ledger;
      const at = now();
      return Math.max(
        0,
        Math.min(
          left(scopes.ofCaller(caller, budgets, at), at),
          left(scopes.ofClaims(caller, extra, budgets, at), at),
          left(scopes.ofTarget(target, budgets, at), at),
        ),
      );
    },
    exceeded(given, caller, amount) {
      const found = find(given);
      const places = found ? [...found.shared, ...standing(found)] : [];
      return budgetExceeded(
        caller,
        places.map(({ entry }) => entry),
        now(),
        amount,
      );
    },
    close(given, receipt) {
      if (!given) journal.settle(receiptJson(receipt, '[]'), receipt.cost > 0);
      else {
        const found = find(given);
        if (found) close(ledger, found, receipt);
      }
    },
    written: () => journal.written(),
    settled: () => journal.settled(),
    correct: corrections.correct,
    standing: () => standingOf(accounts, journal, clock.now()),
    remaining(caller, budgets) {
      const at = now();
      return tightest(caller, ledger.scopes.ofCaller(caller, budgets, at), at);
    },
    own(caller, claims, budgets) {
      const { scopes } = ledger;
      const at = now();
      return ownBalances(
        [...scopes.ofCaller(caller, budgets, at), ...scopes.ofClaims(caller, claims, budgets, at)],
        at,
      );
    },
    balances: (budgets) => balanceOf(accounts, budgets, now()),
    stop: () => leases?.stop(),
    get open() {
      return ledger.open.size;
    },
  };
}

/** Before the bank's clock is known, no account's window is. */
const nothingKnown: readonly Lack[] = [];

function isExceeded(error: unknown): boolean {
  return error instanceof Refusal && error.refusal === 'budget_exceeded';
}

function bankAway(): Refusal {
  return new Refusal(
    'budget_unavailable',
    'The budget that this request stands on is kept in a database that does not answer. Try again shortly.',
    { retryAfter: 2 },
  );
}

function begin({ clock, log, journal, open }: Ledger, accounts: Accounts): Corrections {
  const now = clock.now();
  const { open: abandoned, corrected } = replay(journal, accounts, now, log);
  const corrections = createCorrections(clock, journal, accounts, corrected);
  journal.headBy((again) => {
    accounts.sweep(clock.now());
    const counted = [...corrections.counted(), ...again];
    return balancesJson(clock.now(), accounts.all(), open.list(), abandoned.values(), counted);
  });
  for (const row of abandoned.values()) {
    abandoned.delete(row.id);
    for (const { scope, window } of row.accounts) accounts.restore(scope, window, row.amount, now, row.at, false);
    const json = receiptJson(crashedReceipt(row));
    // At once: at a start nobody's turn of the loop is shared, and what comes next may look into the file.
    if (!journal.write(json)) journal.settle(json, true);
    log.warn('hold_abandoned', { id: row.id, key: row.keyId, provider: row.provider, model: row.model });
  }
  return corrections;
}
