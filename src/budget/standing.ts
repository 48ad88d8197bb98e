// Every account and the position in the journal up to which its sums hold, taken at one moment.

import type { NanoUsd } from '../exchange/money.ts';
import type { Accounts } from './accounts.ts';
import type { Journal } from './journal.ts';
import type { Position } from './segments.ts';

export interface Standing {
  readonly at: number;
  /** The journal up to here makes exactly these sums, but where `failing` says that a settlement still waits. */
  readonly position: Position;
  readonly failing: boolean;
  /** Only windows that are not over. */
  readonly accounts: readonly AccountStanding[];
}

export interface AccountStanding {
  readonly scope: string;
  readonly window: string;
  readonly posted: NanoUsd;
  readonly held: NanoUsd;
}

export function standingOf(accounts: Accounts, journal: Journal, now: number): Standing {
  const position = journal.position();
  const standing: AccountStanding[] = [];
  for (const { scope, bucket } of accounts.all()) {
    const { window, posted, held } = bucket;
    if (now < window.endsAt && (posted !== 0 || held !== 0)) standing.push({ scope, window: window.id, posted, held });
  }
  return { at: now, position, failing: journal.failing, accounts: standing };
}
