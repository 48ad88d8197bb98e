// The checkers: what must hold after any run. Each has a mutation in `sim/simulate.test.ts` that trips it.

import type { Balance } from '../src/exchange/hold.ts';
import type { JournalRow, Receipt } from '../src/exchange/receipt.ts';
import type { ClientAnswer } from './client.ts';

export interface Evidence {
  /** How many requests came with a key that is known. */
  readonly identified: number;
  readonly answers: readonly ClientAnswer[];
  readonly rows: readonly JournalRow[];
  readonly balances: readonly Balance[];
  readonly openHolds: number;
  readonly metrics: string;
}

export function check(evidence: Evidence): string[] {
  return [...oneReceiptEach(evidence), ...holdsClosedOnce(evidence), ...conservation(evidence), ...endings(evidence)];
}

function receiptsOf(rows: readonly JournalRow[]): Receipt[] {
  return rows.flatMap((row) => (row.type === 'receipt' ? [row.receipt] : []));
}

/** Invariant 1: every identified exchange ends in exactly one receipt; every attempt is charged at most once. */
export function oneReceiptEach({ rows, identified }: Evidence): string[] {
  const problems: string[] = [];
  const receipts = receiptsOf(rows);
  if (receipts.length !== identified) problems.push(`${identified} identified exchanges, ${receipts.length} receipts`);
  if (new Set(receipts.map(({ id }) => id)).size !== receipts.length) problems.push('a receipt stands twice');
  for (const { id, charges, cost } of receipts) {
    if (new Set(charges.map(({ attempt }) => attempt)).size !== charges.length)
      problems.push(`${id}: an attempt is charged twice`);
    if (charges.reduce((sum, charge) => sum + charge.cost, 0) !== cost)
      problems.push(`${id}: its cost is not the sum of its charges`);
  }
  return problems;
}

/** Invariant 1, the other half: every hold is closed, once. */
export function holdsClosedOnce({ rows, openHolds }: Evidence): string[] {
  const held = new Set<string>();
  const problems: string[] = openHolds === 0 ? [] : [`${openHolds} holds are still open`];
  for (const row of rows) {
    if (row.type === 'hold') {
      if (held.has(row.id)) problems.push(`${row.id}: held twice`);
      held.add(row.id);
    }
    if (row.type === 'receipt' && !held.delete(row.receipt.id) && row.receipt.cost > 0)
      problems.push(`${row.receipt.id}: charged without a hold, or twice`);
  }
  for (const id of held) problems.push(`${id}: held and never closed`);
  return problems;
}

/** Invariant 2: sum of receipts = ledger = metrics, and nothing is held at rest. */
export function conservation({ rows, balances, metrics }: Evidence): string[] {
  const problems: string[] = [];
  const total = receiptsOf(rows).reduce((sum, { cost }) => sum + cost, 0);
  const byWindow = globalByWindow(rows);
  for (const { scope, limit, available, held, posted, resetsAt } of balances) {
    if (limit !== available + held + posted)
      problems.push(`${scope}: ${limit} is not ${available} + ${held} + ${posted}`);
    if (held !== 0) problems.push(`${scope}: ${held} held at rest`);
    const today = new Date((resetsAt ?? 0) - dayMs).toISOString().slice(0, 16);
    const charged = byWindow.get(`day/UTC/${today}Z`) ?? 0;
    if (scope === 'global' && posted !== charged) problems.push(`global: ${posted} posted, receipts say ${charged}`);
  }
  const counted = [...metrics.matchAll(/^llm_proxy_cost_total\{[^}]*\} ([\d.]+)$/gm)].reduce(
    (sum, [, usd]) => sum + Math.round(Number(usd) * 1e9),
    0,
  );
  if (counted !== total) problems.push(`metrics say ${counted}, receipts say ${total}`);
  return problems;
}

const dayMs = 86_400_000;

/** What receipts cost, under the window in which their hold was taken. */
function globalByWindow(rows: readonly JournalRow[]): Map<string, number> {
  const windows = new Map<string, string>();
  const sums = new Map<string, number>();
  for (const row of rows) {
    if (row.type === 'hold') windows.set(row.id, row.accounts.find(({ scope }) => scope === 'global')?.window ?? '');
    if (row.type !== 'receipt') continue;
    const window = windows.get(row.receipt.id);
    if (window !== undefined) sums.set(window, (sums.get(window) ?? 0) + row.receipt.cost);
  }
  return sums;
}

/** Invariant 5: a stream that is not whole never ends like a whole one; every answer that ended has a status. */
export function endings({ answers, rows }: Evidence): string[] {
  const problems: string[] = [];
  const byId = new Map(receiptsOf(rows).map((receipt) => [receipt.id, receipt]));
  for (const { status, headers, body, end } of answers) {
    if (end === 'open') problems.push('a client was never answered');
    const receipt = byId.get(String(headers['x-tollgate-request-id'] ?? ''));
    if (end !== 'whole' || !receipt?.stream || status !== 200) continue;
    const looksWhole = !body.includes('"error"') && (body.includes('data: [DONE]') || body.includes('"message_stop"'));
    if (looksWhole !== (receipt.ending === 'completed'))
      problems.push(
        `${receipt.id}: ${receipt.ending}, and the client saw ${looksWhole ? 'a whole' : 'a broken'} stream`,
      );
  }
  return problems;
}
