// From rows back to accounts: what a start must know of the processes before it.

import type { HoldRow, JournalRow, Receipt } from '../exchange/receipt.ts';
import { noUsage } from '../exchange/usage.ts';
import type { Log } from '../world/world.ts';
import type { Accounts } from './accounts.ts';
import type { Journal } from './journal.ts';

/** Posts every row of a window that is not over, and returns the holds that nobody closed. */
export function replay(journal: Journal, accounts: Accounts, now: number, log: Log): Map<string, HoldRow> {
  const open = new Map<string, HoldRow>();
  // A write that failed half-way and was repeated could leave a row twice; it counts once.
  const closed = new Set<string>();
  let first = true;
  journal.recover((row) => {
    apply(row, first);
    first = false;
  });
  return open;

  function apply(row: JournalRow, isFirst: boolean): void {
    if (row.type === 'hold') {
      if (!closed.has(row.id)) open.set(row.id, row);
    } else if (row.type === 'adjust') {
      const hold = open.get(row.id);
      if (hold) {
        const { amount, provider, model, accounts: moved = hold.accounts } = row;
        open.set(row.id, { ...hold, amount, provider, model, accounts: moved });
      }
    } else if (row.type === 'receipt') {
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
    } else if (row.type === 'correction') {
      if (closed.has(row.id)) return;
      closed.add(row.id);
      for (const { scope, window, amount = row.amount } of row.accounts)
        accounts.restore(scope, window, amount, now, row.at);
    } else if (isFirst) {
      for (const { scope, window, amount, at } of row.accounts) accounts.restore(scope, window, amount, now, at);
      for (const hold of row.open) open.set(hold.id, hold);
    }
  }
}

/** What is said of an exchange whose process died: that it may have cost all it held. */
export function crashedReceipt(row: HoldRow): Receipt {
  return {
    id: row.id,
    at: row.at,
    keyId: row.keyId,
    scopes: row.accounts.map((account) => account.scope),
    format: 'openai-chat',
    asked: row.model,
    provider: row.provider,
    model: row.model,
    rule: '',
    stream: false,
    ending: 'crashed',
    status: 0,
    code: '',
    charges: [
      {
        attempt: 1,
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
