// R6: power loss. The page cache is modelled, not pulled out: a copy of the journal is cut, at random moments, somewhere
// between what was synced by then and what was written, and read as the next start would read it.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBudget } from '../../src/budget/budget.ts';
import { type JournalOptions, openJournal } from '../../src/budget/journal.ts';
import { scanRows } from '../../src/exchange/journal.ts';
import { openSegments } from '../../src/world/real/segments.ts';
import type { AppendFile, SegmentFolder } from '../../src/world/world.ts';
import { atOnce, caller, manualClock, memoryFolder, quiet, receipt, rule, still, target } from '../../test/ledger.ts';
import { draws } from './draw.ts';
import type { Verdict } from './verdict.ts';

const cuts = 200;
const exchangesBetween = 12;
const budgets = [rule('global', 1e15, 'lifetime')];

/** What a power loss leaves: of each file no less than was synced, no more than was written. */
interface Watched extends SegmentFolder {
  /** Bytes of each file that are on the disk for sure. */
  readonly synced: ReadonlyMap<string, number>;
}

function watch(folder: SegmentFolder): Watched {
  const synced = new Map<string, number>();
  return {
    ...folder,
    synced,
    open(name): AppendFile {
      const file = folder.open(name);
      return {
        ...file,
        name,
        get size() {
          return file.size;
        },
        async sync() {
          const { size } = file;
          await file.sync();
          synced.set(name, Math.max(synced.get(name) ?? 0, size));
        },
      };
    },
  };
}

interface Loss {
  /** Settlements that their clients had seen end. */
  seen: number;
  lost: number;
  lostNano: number;
  lostMost: number;
  unsyncedBytesMost: number;
  doubled: number;
}

async function lose(durability: NonNullable<JournalOptions['durability']>, seed: number): Promise<Loss> {
  const path = mkdtempSync(join(tmpdir(), 'tollgate-r6-'));
  const draw = draws(seed);
  const folder = watch(openSegments(path));
  const clock = { ...manualClock(Date.now()), soon: (task: () => void) => void setImmediate(task) };
  const journal = openJournal(folder, clock, { durability, segmentBytes: 400_000 });
  const budget = createBudget({ clock, log: quiet }, journal, { live: still(budgets) });
  const seen = new Map<string, number>();
  const loss: Loss = { seen: 0, lost: 0, lostNano: 0, lostMost: 0, unsyncedBytesMost: 0, doubled: 0 };

  const exchange = async (id: string): Promise<void> => {
    const wants = { id, caller: caller('k1'), target: target('sim', 'small'), amount: 1000, minimum: 1, extra: [] };
    const hold = atOnce(budget.hold({ ...wants, budgets }));
    await budget.written();
    const cost = draw.below(1000);
    budget.close(hold, receipt(id, cost));
    await budget.settled();
    // Here the terminator leaves.
    seen.set(id, cost);
  };

  for (let cut = 0; cut < cuts; cut++) {
    const running = Array.from({ length: exchangesBetween }, (_, index) => exchange(`e${cut}-${index}`));
    // Somewhere while they run: after as many of them as chance has it.
    await Promise.all(running.slice(0, draw.below(exchangesBetween)));
    measure(folder, new Map(seen), loss, draw.below);
    await Promise.all(running);
  }
  await journal.close();
  rmSync(path, { recursive: true });
  loss.seen = seen.size;
  return loss;
}

function measure(folder: Watched, seen: Map<string, number>, loss: Loss, below: (bound: number) => number): void {
  const files = new Map<string, Buffer[]>();
  let unsynced = 0;
  for (const name of folder.list()) {
    const bytes = folder.read(name);
    const sure = folder.synced.get(name) ?? 0;
    unsynced += bytes.length - sure;
    files.set(name, [bytes.subarray(0, sure + below(bytes.length - sure + 1))]);
  }
  const left = memoryFolder(files);
  const clock = manualClock(Date.now());
  createBudget({ clock, log: quiet }, openJournal(left, clock), { live: still(budgets) });
  const found = new Map<string, number>();
  for (const name of left.list())
    scanRows(left.read(name), 0, (row) => {
      if (row.type !== 'receipt') return;
      if (found.has(row.receipt.id)) loss.doubled += 1;
      // What crashed is posted in full: that is no loss.
      found.set(row.receipt.id, row.receipt.cost);
    });
  let lost = 0;
  for (const [id, cost] of seen) {
    if ((found.get(id) ?? -1) >= cost) continue;
    lost += 1;
    loss.lostNano += cost;
  }
  loss.lost += lost;
  loss.lostMost = Math.max(loss.lostMost, lost);
  loss.unsyncedBytesMost = Math.max(loss.unsyncedBytesMost, unsynced);
}

export async function r6(_instances: number, seed: number): Promise<Verdict> {
  const cache = await lose('page-cache', seed);
  const full = await lose('full', seed);
  const told = (loss: Loss): string =>
    `at most ${loss.lostMost} of those, in the ${loss.unsyncedBytesMost} bytes that the page cache held`;
  return {
    row: 'R6',
    what: `${cuts} power losses, modelled: a copy of the journal cut between its synced and its written size`,
    figures: {
      'settlements that clients saw': full.seen,
      'lost at one cut, by default': told(cache),
      'lost at one cut, full': told(full),
    },
    misses: [
      ...(full.lost > 0 ? [`${full.lost} settlements of ${full.lostNano} nano-USD are lost with full`] : []),
      ...(cache.doubled + full.doubled > 0 ? [`${cache.doubled + full.doubled} doubled`] : []),
      // Without a loss by default the model would show nothing.
      ...(cache.lost === 0 ? ['the cut never reached what was only in the page cache'] : []),
    ],
  };
}

if (import.meta.main) {
  const { print } = await import('./verdict.ts');
  const verdict = await r6(1, Number(process.argv[2] ?? 1));
  print(verdict);
  process.exit(verdict.misses.length > 0 ? 1 : 0);
}
