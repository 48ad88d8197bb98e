// The ledger as it stands at one moment, for `tollgate ledger verify`: a position in the journal, and what it must add up to.

import { Refusal } from '../exchange/refusal.ts';
import type { AdminParts } from './parts.ts';
import { ok, type Route } from './route.ts';

export const ledgerRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/admin/ledger',
    access: 'admin',
    summary: 'Every account with what is posted and held, and the position in the journal at which that holds',
    query: { worker: 'Of which worker, by its number; the answering one' },
    answers:
      '{ at, segment, offset, failing, shared, accounts: [{ scope, window, posted, held }], budgets } in nano-USD; with workers also worker, workers',
    handle: async (ask, parts) => ok(await ofWorker(parts, ask.query.get('worker'))),
  },
];

async function ofWorker(parts: AdminParts, wanted: string | null): Promise<unknown> {
  const { workers } = parts;
  if (wanted === null || wanted === String(workers?.number ?? 1)) return standing(parts);
  const found = (await workers?.gather('ledger'))?.replies.find(({ worker }) => String(worker) === wanted);
  if (!found) throw new Refusal('invalid_request', `No worker ${JSON.stringify(wanted.slice(0, 20))} answers.`);
  return found.answer;
}

/** What `/admin/ledger` answers. */
export function standing(parts: AdminParts): Record<string, unknown> {
  const { at, position, failing, accounts } = parts.ledger.standing();
  return {
    ...(parts.workers ? { worker: parts.workers.number, workers: parts.workers.count } : {}),
    at,
    ...position,
    failing,
    shared: parts.ledger.shared,
    accounts,
    budgets: parts.balances().map(({ scope, per, limit, available, held, posted }) => {
      return { scope, per, limit, available, held, posted };
    }),
  };
}
