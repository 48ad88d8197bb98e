// The refusal of a request that its budget cannot pay: which limit, and when it resets. Never what others spent.

import type { Caller, Period } from '../exchange/caller.ts';
import { formatUsd } from '../exchange/money.ts';
import { Refusal } from '../exchange/refusal.ts';
import { current, freeUnder } from './accounts.ts';
import type { Entry } from './scopes.ts';

/** Names the caller's own budget where that is in the way, else the one that keeps it waiting longest. */
export function budgetExceeded(caller: Caller, entries: readonly Entry[], now: number, needed: number): Refusal {
  const short = entries.filter((entry) => freeUnder(entry.limit, current(entry.account, now)) < needed);
  const end = (entry: Entry): number => current(entry.account, now).window.endsAt;
  const [entry] = short.sort((a, b) => Number(b.own) - Number(a.own) || end(b) - end(a));
  if (!entry) return new Refusal('budget_exceeded', 'Budget exceeded.');
  const { per } = entry.account.calendar;
  const resetsAt = end(entry);
  const limit = `${formatUsd(entry.limit)} USD`;
  const resets = Number.isFinite(resetsAt) ? new Date(resetsAt).toISOString().replace('.000Z', 'Z') : undefined;
  const when = resets ? `It resets at ${resets}.` : 'It does not reset; only a higher limit helps.';
  return new Refusal(
    'budget_exceeded',
    `Budget exceeded: ${subject(caller, entry)} ${limit} ${span(per)}, and what is left does not pay for this request. ${when}`,
    {
      // A limit that asks for an error has one, whatever others were reached with it.
      onExhausted: short.every(({ onExhausted }) => onExhausted === 'finish') ? 'finish' : 'error',
      facts: { scope: entry.shown, limit, per, ...(resets ? { resets_at: resets } : {}) },
    },
  );
}

function subject(caller: Caller, entry: Entry): string {
  if (entry.shown === `key:${caller.keyId}`) return `the key "${caller.keyName}" (${entry.shown}) may spend`;
  if (entry.shown === 'global') return 'all keys of this gateway together (global) may spend';
  return `${entry.shown} may spend`;
}

function span(per: Period): string {
  return per === 'lifetime' ? 'in its lifetime' : `per ${per}`;
}
