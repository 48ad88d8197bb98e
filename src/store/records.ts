// What the control plane made and the store keeps: keys, units, budgets.

import type { BudgetRecord, KeyRecord, Unit } from '../exchange/caller.ts';
import type { Database, Session } from './database.ts';

/** A unit by its kind and id. */
export type UnitName = Pick<Unit, 'kind' | 'id'>;

export interface Records {
  keys(): Promise<KeyRecord[]>;
  saveKey(record: KeyRecord): Promise<unknown>;
  units(): Promise<Unit[]>;
  saveUnit(unit: Unit): Promise<unknown>;
  removeUnit(unit: UnitName): Promise<boolean>;
  budgets(): Promise<BudgetRecord[]>;
  saveBudget(record: BudgetRecord): Promise<unknown>;
  removeBudget(id: string): Promise<boolean>;
  secret(wanted: { name: string; value: string }): Promise<string>;
}

export type Kept = 'keys' | 'units' | 'budgets';

/** Told inside the transaction that changes something: heard of where that is committed, and never otherwise. */
export type Announce = (session: Session, what: Kept) => Promise<void>;

export function createRecords(database: Database, announce: Announce): Records {
  const list = async <Kind>(text: string): Promise<Kind[]> =>
    (await database.all(text)).map(({ record }) => JSON.parse(String(record)) as Kind);
  const change = (what: Kept, text: string, values: readonly string[]): Promise<boolean> =>
    database.transaction(async (session) => {
      const changed = (await session.run(text, values)) > 0;
      if (changed) await announce(session, what);
      return changed;
    });

  return {
    keys: () => list<KeyRecord>('SELECT record FROM keys ORDER BY id'),
    saveKey: (record) =>
      change(
        'keys',
        `INSERT INTO keys (id, hash, record) VALUES (?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, record = excluded.record`,
        [record.id, record.hash, JSON.stringify(record)],
      ),
    units: () => list<Unit>('SELECT record FROM units ORDER BY kind, id'),
    saveUnit: (unit) =>
      change(
        'units',
        `INSERT INTO units (kind, id, name, record) VALUES (?, ?, ?, ?)
        ON CONFLICT (kind, id) DO UPDATE SET name = excluded.name, record = excluded.record`,
        [unit.kind, unit.id, unit.name, JSON.stringify(unit)],
      ),
    removeUnit: ({ kind, id }) => change('units', 'DELETE FROM units WHERE kind = ? AND id = ?', [kind, id]),
    budgets: () => list<BudgetRecord>('SELECT record FROM budgets ORDER BY id'),
    saveBudget: (record) =>
      change(
        'budgets',
        `INSERT INTO budgets (id, scope, record) VALUES (?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET scope = excluded.scope, record = excluded.record`,
        [record.id, record.scope, JSON.stringify(record)],
      ),
    removeBudget: (id) => change('budgets', 'DELETE FROM budgets WHERE id = ?', [id]),
    async secret({ name, value }) {
      await database.run('INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING', [
        name,
        value,
      ]);
      const [row] = await database.all('SELECT value FROM secrets WHERE name = ?', [name]);
      return String(row?.value);
    },
  };
}
