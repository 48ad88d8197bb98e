// The ledger's door: money is held on all scopes at once or on none, moved, topped up, and posted exactly once.

import type { Caller } from '../exchange/caller.ts';
import type { Balance, Hold } from '../exchange/hold.ts';
import type { NanoUsd } from '../exchange/money.ts';
import type { BudgetRule } from '../exchange/policy.ts';
import type { Receipt } from '../exchange/receipt.ts';
import type { Refusal } from '../exchange/refusal.ts';
import type { Target } from '../exchange/target.ts';
import type { World } from '../world/world.ts';
import { type Accounts, createAccounts } from './accounts.ts';
import { balanceOf, type Remaining, tightest } from './balance.ts';
import { budgetExceeded } from './exceeded.ts';
import type { Journal } from './journal.ts';
import { close, type HoldWants, hold, type Ledger, move, spare, topUp } from './ledger.ts';
import { type OpenHold, standing } from './open-hold.ts';
import { crashedReceipt, replay } from './recover.ts';
import { balancesJson, receiptJson } from './rows.ts';
import { createScopes } from './scopes.ts';
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
  /** Posts the receipt's cost and writes the receipt. A second close of a hold does nothing. Never throws. */
  close(hold: Hold | undefined, receipt: Receipt): void;
  /** For holds taken in this turn of the loop: they are in the file. Rejects with `ledger_unavailable`. */
  written(): Promise<void>;
  /** What is closed so far is as durable as the journal was asked to make it. Rejects with `ledger_unavailable`. */
  settled(): Promise<void>;
  /** The tightest budget of the caller's key itself; undefined where it has none. */
  remaining(caller: Caller, budgets: readonly BudgetRule[]): Remaining | undefined;
  /** Every account in use that one of these rules limits; named scopes also when nobody used them yet. */
  balances(budgets: readonly BudgetRule[]): Balance[];
  /** Holds that are open now. */
  readonly open: number;
}

/** Reads the journal into its accounts, and closes what a dead process left open at the full held amount. */
export function createBudget(world: Pick<World, 'clock' | 'log'>, journal: Journal): Budget {
  const { clock, log } = world;
  const accounts = createAccounts(createCalendars());
  const ledger: Ledger = { clock, log, journal, scopes: createScopes(accounts), open: new Map() };
  begin(ledger, accounts);

  // Another hold of the same id, or one that is closed, is no longer ours.
  const find = (given: Hold): OpenHold | undefined => {
    const found = ledger.open.get(given.id);
    return found === (given as unknown) ? found : undefined;
  };

  return {
    hold: (wants) => hold(ledger, wants) as unknown as Hold,
    move(given, target, amount) {
      const found = find(given);
      return found !== undefined && move(ledger, found, target, amount);
    },
    topUp(given, amount) {
      const found = find(given);
      return found !== undefined && topUp(ledger, found, amount);
    },
    available({ caller, target, budgets, extra }) {
      const { scopes } = ledger;
      const now = clock.now();
      return Math.max(
        0,
        Math.min(
          spare(scopes.ofCaller(caller, budgets, now), now),
          spare(scopes.ofClaims(caller, extra, budgets, now), now),
          spare(scopes.ofTarget(target, budgets, now), now),
        ),
      );
    },
    exceeded(given, caller, amount) {
      const found = find(given);
      const places = found ? [...found.shared, ...standing(found)] : [];
      return budgetExceeded(
        caller,
        places.map(({ entry }) => entry),
        clock.now(),
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
    remaining(caller, budgets) {
      const now = clock.now();
      return tightest(caller, ledger.scopes.ofCaller(caller, budgets, now), now);
    },
    balances: (budgets) => balanceOf(accounts, budgets, clock.now()),
    get open() {
      return ledger.open.size;
    },
  };
}

function begin({ clock, log, journal, open }: Ledger, accounts: Accounts): void {
  const now = clock.now();
  const abandoned = replay(journal, accounts, now, log);
  journal.headBy(() => {
    accounts.sweep(clock.now());
    return balancesJson(clock.now(), accounts.all(), open.values(), abandoned.values());
  });
  for (const row of abandoned.values()) {
    abandoned.delete(row.id);
    for (const { scope, window } of row.accounts) accounts.restore(scope, window, row.amount, now, row.at);
    journal.settle(receiptJson(crashedReceipt(row)), true);
    log.warn('hold_abandoned', { id: row.id, key: row.keyId, provider: row.provider, model: row.model });
  }
}
