// The journal's reader, and what the control plane keeps, as the main thread sees them: questions go to a worker,
// answers are promises.
//
// A table of one's own: a numbered file in migrations/ (written for SQLite, see migrate.ts), a file of queries over
// `Database` such as records.ts, its methods in `Methods` and here, its tests in contract.ts, which run on both databases.

import type { Methods, Storage } from './protocol.ts';
import { startThread } from './thread.ts';

/** Every answer may reject with an Error: the data path must not wait for one. */
export interface Store extends Methods {
  /** The journal grew. Costs nothing where the worker knows already. */
  nudge(): void;
  /** Why the store does not answer or is behind the journal, for operators; undefined while all is well. */
  trouble(): string | undefined;
  close(): Promise<void>;
}

export interface StoreOptions {
  readonly storage: Storage;
  readonly journalFolder: string;
  /** Whose journal that is: stable over restarts, another one for each data folder. */
  readonly instance: string;
  /** Open it also where the database cannot be reached now: it is tried for ever. Not at a first start. */
  readonly mayBeAway?: boolean;
  /** Told each time that the trouble is another; undefined when it is over. */
  readonly onTrouble?: (message: string | undefined) => void;
}

/** Resolves once the database is open and its schema the newest; rejects where it cannot be. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { mayBeAway = false, onTrouble = () => undefined, ...data } = options;
  const thread = await startThread({ data, mayBeAway, onTrouble });
  const ask = thread.ask;
  return {
    keys: () => ask('keys'),
    saveKey: (record) => ask('saveKey', record),
    units: () => ask('units'),
    saveUnit: (unit) => ask('saveUnit', unit),
    removeUnit: (unit) => ask('removeUnit', unit),
    budgets: () => ask('budgets'),
    saveBudget: (record) => ask('saveBudget', record),
    removeBudget: (id) => ask('removeBudget', id),
    spend: (query) => ask('spend', query),
    costs: (query) => ask('costs', query),
    requests: (query) => ask('requests', query),
    receipt: (id) => ask('receipt', id),
    forget: (before) => ask('forget', before),
    catchUp: () => ask('catchUp'),
    nudge: thread.nudge,
    trouble: thread.trouble,
    close: thread.close,
  };
}
