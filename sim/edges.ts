// R30: a hundred thousand requests around the edges of minute windows, three instances whose clocks differ.

import { checkLedgers, inTheirWindows } from './check-ledgers.ts';
import { budgetRule, ledgersWorld, windowOf } from './ledgers.ts';

export interface EdgesFigures {
  readonly requests: number;
  readonly admitted: number;
  readonly windows: number;
  readonly misplaced: number;
  readonly problems: readonly string[];
}

const edges = 200;

export async function aroundEdges(seed: number, requests: number): Promise<EdgesFigures> {
  const evidence = await ledgersWorld(seed, {
    instances: 3,
    exchanges: requests,
    withinMs: edges * 60_000,
    arrivals: 'edges',
    startsAt: Date.UTC(2026, 2, 28, 22, 0, 30),
    // One that bites in each window, and one that shows what all of them spent.
    budgets: [
      { ...budgetRule('global', 8_000_000, 'minute'), timezone: 'Europe/Berlin' },
      budgetRule('key:*', 1e12, 'hour'),
    ],
    skewMs: 2_000,
    delayMs: 10,
    lostOneIn: 1_000,
    crashes: 3,
    absences: 0,
    changes: 0,
    dearOneIn: 1_000,
  });
  const windows = new Set<string>();
  for (const { rows } of evidence.instances) {
    for (const row of rows) {
      if (row.type !== 'hold') continue;
      for (const { window } of row.accounts) if (windowOf(window).per === 'minute') windows.add(window);
    }
  }
  return {
    requests,
    admitted: evidence.admitted,
    windows: windows.size,
    misplaced: inTheirWindows(evidence).length,
    problems: checkLedgers(evidence),
  };
}
