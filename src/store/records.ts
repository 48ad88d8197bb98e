// What the control plane made and the store keeps: keys, units, budgets.

import type { BudgetRecord, KeyRecord, Unit } from '../exchange/caller.ts';
import type { Database, Row } from './database.ts';

/** A unit by its kind and id. */
export type UnitName = Pick<Unit, 'kind' | 'id'>;

export interface Records {
  keys(): Promise<KeyRecord[]>;
  saveKey(record: KeyRecord): Promise<void>;
  units(): Promise<Unit[]>;
  saveUnit(unit: Unit): Promise<void>;
  removeUnit(unit: UnitName): Promise<boolean>;
  budgets(): Promise<BudgetRecord[]>;
  saveBudget(record: BudgetRecord): Promise<void>;
  removeBudget(id: string): Promise<boolean>;
}

export function createRecords(database: Database): Records {
  const list = async (text: string): Promise<Row[]> =>
    (await database.all(text)).map(({ record }) => JSON.parse(String(record)));
  const save = async (text: string, values: readonly string[]): Promise<void> =>
    void (await database.run(text, values));
  const remove = async (text: string, values: readonly string[]): Promise<boolean> =>
    (await database.run(text, values)) > 0;

  return {
    keys: async () => (await list('SELECT record FROM keys ORDER BY id')) as unknown as KeyRecord[],
    saveKey: (record) =>
      save(
        `INSERT INTO keys (id, hash, record) VALUES (?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, record = excluded.record`,
        [record.id, record.hash, JSON.stringify(record)],
      ),
    units: async () => (await list('SELECT record FROM units ORDER BY kind, id')) as unknown as Unit[],
    saveUnit: (unit) =>
      save(
        `INSERT INTO units (kind, id, name, record) VALUES (?, ?, ?, ?)
        ON CONFLICT (kind, id) DO UPDATE SET name = excluded.name, record = excluded.record`,
        [unit.kind, unit.id, unit.name, JSON.stringify(unit)],
      ),
    removeUnit: ({ kind, id }) => remove('DELETE FROM units WHERE kind = ? AND id = ?', [kind, id]),
    budgets: async () => (await list('SELECT record FROM budgets ORDER BY id')) as unknown as BudgetRecord[],
    saveBudget: (record) =>
      save(
        `INSERT INTO budgets (id, scope, record) VALUES (?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET scope = excluded.scope, record = excluded.record`,
        [record.id, record.scope, JSON.stringify(record)],
      ),
    removeBudget: (id) => remove('DELETE FROM budgets WHERE id = ?', [id]),
  };
}
