// Corrections: what a later look at the provider's bill changes, as rows of their own, each posted once.

import type { NanoUsd } from '../exchange/money.ts';
import type { CorrectionRow, Counted, JournalAccount } from '../exchange/receipt.ts';
import type { Clock } from '../world/world.ts';
import { type Accounts, type Bucket, current } from './accounts.ts';
import { type Journal, unavailable } from './journal.ts';
import { createCalendars, readWindowId } from './window.ts';

export interface Corrections {
  /** False where the id is known, and nothing has changed. Throws `ledger_unavailable`. */
  correct(row: CorrectionRow): boolean;
  /** What the head of a segment must name, so that a repeat is known whatever was compacted. */
  counted(): Counted[];
}

/** With a lifetime budget ids are kept for ever: ten a day would take a dozen years to get here, and 5 MB. */
const idsMax = 50_000;

export function createCorrections(
  clock: Pick<Clock, 'now'>,
  journal: Journal,
  accounts: Accounts,
  earlier: readonly Counted[],
): Corrections {
  const known = new Map(earlier.map((each) => [each.id, each]));

  const forget = (now: number): void => {
    for (const [id, { until }] of known) if (until !== undefined && until <= now) known.delete(id);
    for (const id of known.keys()) {
      if (known.size <= idsMax) break;
      known.delete(id);
    }
  };

  return {
    correct(row) {
      if (known.has(row.id)) return false;
      if (journal.failing || !Number.isSafeInteger(row.amount)) throw unavailable();
      const now = clock.now();
      const changes = changesOf(row, accounts, now);
      // The row says what it does to each account, not what it would like to: a reader adds up and needs no rule.
      const amountOf = (scope: string, window: string): NanoUsd =>
        changes.find((each) => each.scope === scope && each.bucket.window.id === window)?.amount ?? 0;
      const posted: CorrectionRow = {
        ...row,
        accounts: distinct(row.accounts).map(({ scope, window }) => ({
          scope,
          window,
          amount: amountOf(scope, window),
        })),
      };
      if (!journal.write(JSON.stringify(posted))) throw unavailable();
      known.set(row.id, countedAs(posted));
      for (const { bucket, amount } of changes) bucket.posted += amount;
      return true;
    },
    counted() {
      forget(clock.now());
      return [...known.values()];
    },
  };
}

/** Until the last window that it changed is over. */
export function countedAs({ id, accounts }: CorrectionRow): Counted {
  let until = 0;
  for (const { window } of accounts) until = Math.max(until, endOf(window));
  return until === Number.POSITIVE_INFINITY ? { id } : { id, until };
}

function endOf(windowId: string): number {
  const said = readWindowId(windowId);
  return said ? createCalendars()(said.per, said.timezone).at(said.startsAt).endsAt : 0;
}

interface Change {
  readonly scope: string;
  readonly bucket: Bucket;
  readonly amount: NanoUsd;
}

/** Only windows that still stand; never more off an account than was posted to it. */
function changesOf(row: CorrectionRow, accounts: Accounts, now: number): Change[] {
  const changes: Change[] = [];
  for (const { scope, window, amount = row.amount } of distinct(row.accounts)) {
    const said = readWindowId(window);
    if (!said || !Number.isSafeInteger(amount)) continue;
    const account = accounts.find(scope, said.per, said.timezone, now);
    const bucket = current(account, now);
    if (bucket.window.id !== window) continue;
    account.usedAt = now;
    changes.push({ scope, bucket, amount: Math.max(amount, -bucket.posted) });
  }
  return changes;
}

function distinct(accounts: readonly JournalAccount[]): JournalAccount[] {
  return accounts.filter(
    ({ scope, window }, index) =>
      index === accounts.findIndex((each) => each.scope === scope && each.window === window),
  );
}
