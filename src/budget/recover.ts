// From rows back to accounts: what a start must know of the processes before it.

import type {
  AdjustRow,
  BalancesRow,
  CorrectionRow,
  Counted,
  HoldRow,
  Receipt,
  ReceiptRow,
} from '../exchange/receipt.ts';
import { noUsage } from '../exchange/usage.ts';
import type { Log } from '../world/world.ts';
import type { Accounts } from './accounts.ts';
import { countedAs } from './correct.ts';
import type { Journal } from './journal.ts';

export interface Recovered {
  /** Holds that nobody closed. */
  readonly open: Map<string, HoldRow>;
  /** Corrections that must not be posted a second time. */
  readonly corrected: readonly Counted[];
}

/** Posts every row of a window that is not over. A row that comes a second time changes nothing, whatever it is. */
export function replay(journal: Journal, accounts: Accounts, now: number, log: Log): Recovered {
  const open = new Map<string, HoldRow>();
  const closed = new Set<string>();
  const corrected: Counted[] = [];
  let first = true;
  journal.recover((row) => {
    if (row.type === 'hold') {
      if (!closed.has(row.id) && !open.has(row.id)) open.set(row.id, row);
    } else if (row.type === 'adjust') adjust(row);
    else if (row.type === 'receipt') close(row);
    else if (row.type === 'correction') correct(row);
    else if (first) begin(row);
    first = false;
  });
  return { open, corrected };

  function begin(row: BalancesRow): void {
    for (const { scope, window, amount, at } of row.accounts) accounts.restore(scope, window, amount, now, at);
    for (const hold of row.open) open.set(hold.id, hold);
    for (const counted of row.counted ?? []) {
      closed.add(counted.id);
      corrected.push(counted);
    }
  }

  function adjust({ id, number, amount, provider, model, accounts: moved, joined }: AdjustRow): void {
    const hold = open.get(id);
    if (!hold || number <= (hold.number ?? 0)) return;
    const attempt = (hold.attempt ?? 1) + (moved && !joined ? 1 : 0);
    // The name that was asked for stays when the target changes.
    const asked = hold.asked ?? hold.model;
    open.set(id, { ...hold, number, amount, provider, model, asked, attempt, accounts: moved ?? hold.accounts });
  }

  function close(row: ReceiptRow): void {
    const { id, at, cost } = row.receipt;
    const posted = row.accounts ?? open.get(id)?.accounts;
    open.delete(id);
    if (closed.has(id)) return;
    closed.add(id);
    if (!posted) {
      // Its hold was in a stretch that is damaged: the receipt counts in every report, but in no budget.
      if (cost > 0) log.error('hold_unknown', { id, cost });
      return;
    }
    for (const { scope, window, amount = cost } of posted) accounts.restore(scope, window, amount, now, at);
  }

  function correct(row: CorrectionRow): void {
    if (closed.has(row.id)) return;
    closed.add(row.id);
    corrected.push(countedAs(row));
    for (const { scope, window, amount = row.amount } of row.accounts)
      accounts.restore(scope, window, amount, now, row.at);
  }
}

/** What is said of an exchange whose process died: that it may have cost all it held. */
export function crashedReceipt(row: HoldRow): Receipt {
  const { format = 'openai-chat', asked = row.model, stream = false, attempt = 1, scopes = [] } = row;
  return {
    id: row.id,
    at: row.at,
    keyId: row.keyId,
    scopes: [...new Set([...row.accounts.map(({ scope }) => scope), ...scopes])],
    format,
    asked,
    provider: row.provider,
    model: row.model,
    rule: '',
    stream,
    ending: 'crashed',
    status: 0,
    code: '',
    charges: [
      {
        attempt,
        provider: row.provider,
        model: row.model,
        usage: noUsage(),
        cost: row.amount,
        priceVersion: '',
        estimated: 'held-amount',
        status: 0,
      },
    ],
    cost: row.amount,
    saved: 0,
    estimated: true,
    dropped: [],
    tags: {},
    cache: 'off',
    durationMs: 0,
    firstByteMs: 0,
    overheadMs: 0,
  };
}
