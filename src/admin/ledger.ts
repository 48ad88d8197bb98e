// The ledger as it stands at one moment, for `tollgate ledger verify`: a position in the journal, and what it must add up to.

import type { AdminParts } from './parts.ts';
import { ok, type Route } from './route.ts';

export const ledgerRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/admin/ledger',
    access: 'admin',
    summary: 'Every account with what is posted and held, and the position in the journal at which that holds',
    answers:
      '{ at, segment, offset, failing, shared, accounts: [{ scope, window, posted, held }], budgets } in nano-USD',
    handle: (_, parts) => ok(standing(parts)),
  },
];

function standing(parts: AdminParts): Record<string, unknown> {
  const { at, position, failing, accounts } = parts.ledger.standing();
  return {
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
