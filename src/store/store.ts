// The journal's reader, and what the control plane keeps, as the main thread sees them: questions go to a worker,
// answers are promises.
//
// A table of one's own: a numbered file in migrations/ (written for SQLite, see migrate.ts), a file of queries over
// `Database` such as records.ts, its methods in `Methods` and here, its tests in contract.ts, which run on both databases.

import type { Signal, Signals } from '../exchange/signal.ts';
import type { Methods, Storage } from './protocol.ts';
import type { Kept } from './records.ts';
import { startThread } from './thread.ts';

/** Every answer may reject with an Error: the data path must not wait for one. */
export interface Store extends Omit<Methods, 'send'> {
  /**
   * Between all instances of the store. `changed` is sent by the store itself, with what it saves. Listen before the
   * first read: what changes afterwards is heard of.
   */
  readonly signals: Signals;
  /**
   * Counts what was saved or removed here; undefined while something is. What was read in between may be older than
   * what this instance knows.
   */
  revision(): number | undefined;
  /** Why the store does not answer, is behind the journal or does not hear others; undefined while all is well. */
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
  /** Carries signals between processes that share a SQLite file, which tells nobody; PostgreSQL needs none. */
  readonly relay?: Signals;
  /** Told each time that the trouble is another; undefined when it is over. */
  readonly onTrouble?: (message: string | undefined) => void;
}

/** Resolves once the database is open and its schema the newest; rejects where it cannot be. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { mayBeAway = false, onTrouble = () => undefined, relay, ...data } = options;
  const listeners: ((signal: Signal) => void)[] = [];
  const hear = (signal: Signal): void => {
    for (const listener of listeners) listener(signal);
  };
  relay?.listen(hear);
  const changedPerhaps = (message: string | undefined): void => {
    onTrouble(message);
    if (message === undefined)
      for (const what of ['keys', 'units', 'budgets'] as const) hear({ kind: 'changed', what });
  };
  const thread = await startThread({ data, mayBeAway, onTrouble: changedPerhaps, onSignal: hear });
  const ask = thread.ask;
  let saved = 0;
  let saving = 0;
  const save = async <Answer>(what: Kept, work: () => Promise<Answer>): Promise<Answer> => {
    saving += 1;
    try {
      return await work();
    } finally {
      saving -= 1;
      saved += 1;
      // Also where it failed: whether it was saved all the same is known by reading alone.
      hear({ kind: 'changed', what });
      // Where no message passes, the parent is gone, and this process with it.
      await relay?.send({ kind: 'changed', what }).catch(() => undefined);
    }
  };
  return {
    keys: () => ask('keys'),
    saveKey: (record) => save('keys', () => ask('saveKey', record)),
    units: () => ask('units'),
    saveUnit: (unit) => save('units', () => ask('saveUnit', unit)),
    removeUnit: (unit) => save('units', () => ask('removeUnit', unit)),
    budgets: () => ask('budgets'),
    saveBudget: (record) => save('budgets', () => ask('saveBudget', record)),
    removeBudget: (id) => save('budgets', () => ask('removeBudget', id)),
    secret: (wanted) => ask('secret', wanted),
    spend: (query) => ask('spend', query),
    costs: (query) => ask('costs', query),
    requests: (query) => ask('requests', query),
    receipt: (id) => ask('receipt', id),
    otherCosts: (span) => ask('otherCosts', span),
    addOtherCosts: (entries) => ask('addOtherCosts', entries),
    removeOtherCost: (id) => ask('removeOtherCost', id),
    forget: (before) => ask('forget', before),
    catchUp: () => ask('catchUp'),
    signals: {
      // Here first: a kill must work on this instance whatever becomes of the others.
      async send(signal) {
        hear(signal);
        if (data.storage.kind === 'postgres') await ask('send', signal);
        else await relay?.send(signal);
      },
      listen: (listener) => void listeners.push(listener),
    },
    revision: () => (saving > 0 ? undefined : saved),
    trouble: thread.trouble,
    close: thread.close,
  };
}
