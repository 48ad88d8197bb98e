// What journals of other processes over the same folder say is spent, told to the bank before anybody spends.

import { setTimeout as passed } from 'node:timers/promises';
import { createBudget } from '../budget/budget.ts';
import { openJournal } from '../budget/journal.ts';
import { takeLock } from '../cli/lock.ts';
import { compact } from '../compaction.ts';
import type { Settings } from '../config/settings.ts';
import type { Bank } from '../exchange/bank.ts';
import { openStore } from '../store/store.ts';
import { realClock } from '../world/real/clock.ts';
import { type DataFolder, StartError } from '../world/real/data-folder.ts';
import { openSegments } from '../world/real/segments.ts';
import type { Log } from '../world/world.ts';

export interface JournalEntry {
  /** As its process has it. */
  readonly folder: DataFolder;
  readonly lockFolder: string;
  readonly bank: Bank;
  readonly settings: Pick<Settings, 'storage' | 'journal'>;
  readonly log: Log;
  /** Nobody will open this journal after us: the store is told of the rest, and old files are removed. */
  readonly left: boolean;
}

/** Workers whose parent was killed end by themselves, at once; a start that follows may be quicker. */
const patienceMs = 5_000;
const againMs = 50;

/**
 * Closes what a dead process left open, at the full amount held, and enters the whole into the bank under the name of
 * the journal's process. Throws `StartError` where that process still runs.
 */
export async function enterJournal(entry: JournalEntry): Promise<void> {
  const { folder, bank, settings, log, left } = entry;
  const release = await lockWithPatience(entry.lockFolder);
  try {
    const journal = openJournal(openSegments(folder.file('journal')), realClock, { ...settings.journal, log });
    try {
      await enterBooks(journal, { clock: realClock, log }, bank, folder.instance());
      await journal.settled();
      if (left) await hand(entry, journal);
    } finally {
      await journal.close();
    }
  } finally {
    release();
  }
}

/** The one way from a journal to a bank, which a gateway takes too: a ledger that reads, enters, and never spends. */
async function enterBooks(
  journal: ReturnType<typeof openJournal>,
  world: Parameters<typeof createBudget>[0],
  bank: Bank,
  instance: string,
): Promise<void> {
  const entered = Promise.withResolvers<void>();
  const once: Bank = {
    ...bank,
    async enter(name, purses) {
      try {
        return await bank.enter(name, purses);
      } catch (error) {
        entered.reject(error);
        throw error;
      }
    },
    // It follows the entry, and asks for nothing.
    exchange: (ask) => bank.exchange(ask).finally(entered.resolve),
    onRecall: () => undefined,
  };
  const budget = createBudget(world, journal, {
    live: { budgets: () => [], caller: (known) => known },
    bank: { bank: once, instance },
  });
  try {
    await entered.promise;
  } finally {
    budget.stop();
    await bank.close();
  }
}

async function hand({ folder, settings, log }: JournalEntry, journal: ReturnType<typeof openJournal>): Promise<void> {
  const { storage } = settings;
  const store = await openStore({
    storage: storage.kind === 'postgres' ? { kind: 'postgres', url: storage.url.reveal() } : storage,
    journalFolder: folder.file('journal'),
    instance: folder.instance(),
  });
  try {
    await compact({ store, journal, keepMs: settings.journal.keepMs, clock: realClock, log });
  } finally {
    await store.close();
  }
}

async function lockWithPatience(folder: string): Promise<() => void> {
  for (const until = performance.now() + patienceMs; ; await passed(againMs)) {
    const release = takeLock(folder);
    if (release) return release;
    if (performance.now() > until)
      throw new StartError(`A worker of another start still uses ${folder}. Stop it, then start again.`);
  }
}
