// Keys, units and budgets as this instance knows them: read again when they change, served from a sealed copy while the
// store is away.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import type { BudgetRecord, KeyRecord, Unit } from '../exchange/caller.ts';
import type { Store } from './store.ts';

export interface Known {
  readonly keys: readonly KeyRecord[];
  readonly units: readonly Unit[];
  readonly budgets: readonly BudgetRecord[];
}

export interface KnownRecords {
  /** Replaced as a whole when something changes. */
  current(): Known;
  /** Whether the store has no more than this; while it is away others may have made what is not known here. */
  sure(): boolean;
  /** Told of every change, with all there is. */
  listen(listener: (known: Known) => void): void;
  /** Resolves once the copy is written. */
  close(): Promise<void>;
}

export interface KnownOptions {
  readonly store: Pick<Store, 'keys' | 'units' | 'budgets' | 'signals' | 'revision' | 'trouble'>;
  /** File of the copy; none where the store lives in the same folder anyway. */
  readonly copy?: string;
  /** The copy is sealed with it: who can write the file alone cannot make a key of his own. */
  readonly secret: Buffer;
  readonly onTrouble: (message: string) => void;
}

export const nothingKnown: Known = { keys: [], units: [], budgets: [] };
/** A reading that failed is tried again after this. */
const againMs = 1000;

/** Rejects where the store is away and there is no copy that this secret has sealed. */
export async function followKnown({ store, copy, secret, onTrouble }: KnownOptions): Promise<KnownRecords> {
  const listeners: ((known: Known) => void)[] = [];
  let current = nothingKnown;
  let written = '';
  let fresh = false;
  let wanted = false;
  let reading: Promise<void> | undefined;
  let writing: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  /** False where something was saved meanwhile: its end asks for another reading. */
  const read = async (): Promise<boolean> => {
    const revision = store.revision();
    const [keys, units, budgets] = await Promise.all([store.keys(), store.units(), store.budgets()]);
    if (revision === undefined || store.revision() !== revision) return false;
    current = { keys, units, budgets };
    fresh = true;
    const text = JSON.stringify(current);
    if (text === written) return true;
    written = text;
    if (copy !== undefined) {
      writing = writing
        .then(() => keep(copy, secret, text))
        .catch((error) => onTrouble(`${copy} cannot be written: ${error}`));
    }
    for (const listener of listeners) listener(current);
    return true;
  };
  const readAll = async (): Promise<void> => {
    while (wanted && !closed) {
      wanted = false;
      try {
        await read();
      } catch {
        // The store says itself what is wrong with it.
        fresh = false;
        clearTimeout(timer);
        timer = setTimeout(renew, againMs);
      }
    }
    reading = undefined;
  };
  const renew = (): void => {
    wanted = true;
    reading ??= readAll();
  };

  store.signals.listen((signal) => {
    if (signal.kind === 'changed' && !closed) renew();
  });
  try {
    while (!(await read()));
  } catch (error) {
    if (copy === undefined) throw error;
    current = openCopy(copy, secret);
    written = JSON.stringify(current);
    renew();
  }
  return {
    current: () => current,
    sure: () => fresh && (copy === undefined || store.trouble() === undefined),
    listen: (listener) => void listeners.push(listener),
    async close() {
      closed = true;
      clearTimeout(timer);
      await reading;
      await writing;
    },
  };
}

/** Whether there is a copy to start from. */
export function hasCopy(file: string): boolean {
  return existsSync(file);
}

async function keep(file: string, secret: Buffer, text: string): Promise<void> {
  await writeFile(`${file}.new`, `${seal(secret, text)}\n${text}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

function openCopy(file: string, secret: Buffer): Known {
  const [mark = '', text = ''] = readFileSync(file, 'utf8').split('\n');
  const [one, other] = [Buffer.from(mark, 'utf8'), Buffer.from(seal(secret, text), 'utf8')];
  if (one.length !== other.length || !timingSafeEqual(one, other)) {
    throw new Error(`${file} was not written by this installation`);
  }
  return JSON.parse(text) as Known;
}

function seal(secret: Buffer, text: string): string {
  return createHmac('sha256', secret).update('known records\n').update(text).digest('hex');
}
