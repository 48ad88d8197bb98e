// Costs that no request made, as they were entered or imported: each id once, changed by removing it and entering anew.

import type { OtherCost } from '../exchange/spend.ts';
import type { Database, Table } from './database.ts';

const table: Table = {
  name: 'other_costs',
  columns: {
    id: 'text',
    first_day: 'whole',
    last_day: 'whole',
    amount: 'whole',
    kind: 'text',
    provider: 'text',
    record: 'text',
  },
  key: ['id'],
};

export interface OtherCosts {
  /** Those that overlap the span, in order of their first day; epoch ms. */
  otherCosts(span: { from?: number; to?: number }): Promise<OtherCost[]>;
  /** How many were new. */
  addOtherCosts(entries: readonly OtherCost[]): Promise<number>;
  removeOtherCost(id: string): Promise<boolean>;
}

const dayMs = 86_400_000;

export function createOtherCosts(database: Database): OtherCosts {
  return {
    async otherCosts({ from, to }) {
      const rows = await database.all(
        'SELECT record FROM other_costs WHERE last_day > ? AND first_day < ? ORDER BY first_day, id',
        [(from ?? 0) - dayMs, to ?? Number.MAX_SAFE_INTEGER],
      );
      return rows.map(({ record }) => JSON.parse(String(record)) as OtherCost);
    },
    async addOtherCosts(entries) {
      const rows = entries.map((entry) => [
        entry.id,
        Date.parse(entry.from),
        Date.parse(entry.to),
        entry.amount,
        entry.kind,
        entry.provider,
        JSON.stringify(entry),
      ]);
      return rows.length - (await database.transaction((session) => session.add(table, rows))).size;
    },
    removeOtherCost: async (id) => (await database.run('DELETE FROM other_costs WHERE id = ?', [id])) > 0,
  };
}
