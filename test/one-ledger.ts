// A ledger over a folder in memory, one global budget and one key: what tests of the journal begin with.

import { createBudget } from '../src/budget/budget.ts';
import { type JournalOptions, openJournal } from '../src/budget/journal.ts';
import type { Hold } from '../src/exchange/hold.ts';
import type { SegmentFolder } from '../src/world/world.ts';
import { atOnce, caller, closing, manualClock, quiet, rule, still, target } from './ledger.ts';

export const noon = Date.parse('2026-03-05T12:00:00Z');
export const budgets = [rule('global', 1_000_000)];
export const small = target('sim', 'small');

export function beginLedger(folder: SegmentFolder, options: JournalOptions = {}) {
  const clock = manualClock(noon);
  const journal = openJournal(folder, clock, options);
  const budget = createBudget({ clock, log: quiet }, journal, { live: still(budgets) });
  const take = (id: string, amount = 100): Hold =>
    atOnce(budget.hold({ id, caller: caller('k1'), target: small, amount, minimum: 1, budgets, extra: [] }));
  const balance = () => {
    const { held, posted } = budget.balances(budgets)[0] ?? {};
    return { held, posted };
  };
  return { clock, journal, budget, take, close: closing(budget, clock), balance };
}
