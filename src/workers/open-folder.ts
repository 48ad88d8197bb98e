// A data folder that several processes work over: locked as a whole, and every journal in it entered before anybody spends.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../config/settings.ts';
import type { Bank } from '../exchange/bank.ts';
import {
  type DataFolder,
  openDataFolder,
  StartError,
  workerFolder,
  workerNumbers,
  workersFolder,
} from '../world/real/data-folder.ts';
import type { Log } from '../world/world.ts';
import { enterJournal } from './journals.ts';
import { lock } from './lock.ts';

export interface OpenFolder {
  readonly folder: DataFolder;
  /** Of all journals in the folder; those beyond `count` are of workers that are no more. */
  enterAll(bank: () => Bank, count: number): Promise<void>;
  release(): void;
}

/** Throws `StartError`. */
export function openFolder(settings: Settings, log: Log): OpenFolder {
  const folder = openDataFolder(settings.dataFolder);
  const release = lock(folder.path);
  if (!release)
    throw new StartError(`Another process uses ${folder.path}. Stop it, or set TOLLGATE_DATA to another folder.`);
  return {
    folder,
    async enterAll(bank, count) {
      const numbers = [1, ...workerNumbers(folder.path).filter((number) => number > 1)];
      // In PostgreSQL the slices of those that will run are as they left them, and theirs to enter again.
      const shared = settings.storage.kind === 'postgres';
      await enterJournals(folder, shared ? numbers.filter((number) => number > count) : numbers, count, {
        bank,
        settings,
        log,
      });
    },
    release,
  };
}

export interface EnterParts {
  readonly bank: () => Bank;
  readonly settings: Settings;
  readonly log: Log;
}

/** The journals of these numbers; those beyond `count` nobody will open after us. */
export async function enterJournals(
  folder: DataFolder,
  numbers: readonly number[],
  count: number,
  { bank, settings, log }: EnterParts,
): Promise<void> {
  for (const number of numbers) {
    const own = workerFolder(folder, number);
    if (!existsSync(own.file('journal'))) continue;
    const lockFolder = join(folder.path, workersFolder, String(number));
    await enterJournal({ folder: own, lockFolder, bank: bank(), settings, log, left: number > count });
  }
}
