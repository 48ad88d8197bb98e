// What must hold of several ledgers over one bank, after any run. Each has a mutation in `sim/ledgers.test.ts`.

import type { JournalRow } from '../src/exchange/receipt.ts';
import { holdsClosedOnce } from './check.ts';
import { type LedgersEvidence, windowOf } from './ledgers.ts';

export function checkLedgers(evidence: LedgersEvidence): string[] {
  return [...eachClosedOnce(evidence), ...conserved(evidence), ...withinLimits(evidence), ...inTheirWindows(evidence)];
}

/** Every hold of every instance is closed once. */
export function eachClosedOnce({ instances }: LedgersEvidence): string[] {
  return instances.flatMap(({ rows, budget }) =>
    holdsClosedOnce({
      rows: withoutHeads(rows),
      openHolds: budget.open,
      identified: 0,
      answers: [],
      balances: [],
      metrics: '',
    }),
  );
}

/** What the journals say was posted is what the bank was told, purse by purse; what is given out covers it. */
export function conserved({ instances, given, endedAt }: LedgersEvidence): string[] {
  const problems: string[] = [];
  const posted = postedByPurse(instances.map(({ rows }) => rows));
  for (const [purse, amount] of posted) {
    const bank = given.get(purse) ?? { have: 0, posted: 0 };
    // Of windows that were over when a process began anew the bank has what that process had leased, and no more detail.
    const open = windowOf(purse.slice(purse.indexOf(' ') + 1)).endsAt > endedAt;
    if (open && bank.posted !== amount) problems.push(`${purse}: journals say ${amount}, the bank ${bank.posted}`);
    if (bank.have < amount) problems.push(`${purse}: ${amount} posted of ${bank.have} given out`);
  }
  return problems;
}

/** Nothing passes the highest limit that ever stood, but by what requests cost beyond what they held. */
export function withinLimits({ instances, budgets, limitsMax, beyondHolds }: LedgersEvidence): string[] {
  const problems: string[] = [];
  const beyond = new Map<string, number>();
  for (const { rows } of instances) {
    for (const { purse, id } of postings(rows))
      beyond.set(purse, (beyond.get(purse) ?? 0) + (beyondHolds.get(id) ?? 0));
  }
  for (const [purse, amount] of postedByPurse(instances.map(({ rows }) => rows))) {
    const [scope = '', window = ''] = purse.split(' ');
    const name = scope.slice(scope.lastIndexOf('/run:') + 1);
    const limits = budgets.flatMap((rule, index) => {
      const matches = rule.scope.endsWith('*') ? name.startsWith(rule.scope.slice(0, -1)) : name === rule.scope;
      return matches && rule.per === windowOf(window).per ? [limitsMax[index] ?? 0] : [];
    });
    const limit = Math.min(...limits);
    const spent = amount - (beyond.get(purse) ?? 0);
    if (spent > limit) problems.push(`${purse}: ${spent} spent of ${limit}`);
  }
  return problems;
}

/** A request is charged to the window that stood, by the bank's clock, when its money was taken. */
export function inTheirWindows({ instances, takenAt, toleranceMs }: LedgersEvidence): string[] {
  const problems: string[] = [];
  for (const { rows } of instances) {
    for (const row of rows) {
      const at = row.type === 'hold' ? takenAt.get(row.id) : undefined;
      if (row.type !== 'hold' || at === undefined) continue;
      for (const { window } of row.accounts) {
        const { startsAt, endsAt } = windowOf(window);
        if (at < startsAt - toleranceMs || at >= endsAt + toleranceMs)
          problems.push(`${row.id}: taken at ${new Date(at).toISOString()}, charged to ${window}`);
      }
    }
  }
  return problems;
}

interface Posting {
  readonly purse: string;
  readonly id: string;
  readonly amount: number;
}

function postings(rows: readonly JournalRow[]): Posting[] {
  const standing = new Map<string, readonly { scope: string; window: string }[]>();
  const found: Posting[] = [];
  for (const row of rows) {
    if (row.type === 'hold') standing.set(row.id, row.accounts);
    else if (row.type === 'adjust') standing.set(row.id, row.accounts ?? standing.get(row.id) ?? []);
    else if (row.type === 'receipt') {
      const { id, cost } = row.receipt;
      for (const { scope, window, ...own } of row.accounts ?? standing.get(id) ?? []) {
        const amount = 'amount' in own && typeof own.amount === 'number' ? own.amount : cost;
        found.push({ purse: `${scope} ${window}`, id, amount });
      }
    }
  }
  return found;
}

function postedByPurse(journals: readonly (readonly JournalRow[])[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const rows of journals) {
    for (const { purse, amount } of postings(rows)) sums.set(purse, (sums.get(purse) ?? 0) + amount);
  }
  return sums;
}

/** The head of a segment says again what stands before it. */
function withoutHeads(rows: readonly JournalRow[]): JournalRow[] {
  return rows.filter((row) => row.type !== 'balances');
}
