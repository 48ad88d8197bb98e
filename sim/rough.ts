// Worlds in which ledgers have a hard time, drawn from a seed: how many instances, how much goes wrong.

import { createChance } from './chance.ts';
import { budgetRule, type LedgersOptions } from './ledgers.ts';

/** Half an hour before midnight at the earliest, so that minutes, hours and days end within the run. */
export function roughOptions(seed: number): LedgersOptions {
  const chance = createChance(seed * 7919);
  return {
    instances: 1 + chance.below(4),
    exchanges: 200 + chance.below(300),
    withinMs: 60_000 + chance.below(400_000),
    arrivals: 'spread',
    startsAt: Date.UTC(2026, 0, 1, 23, 55, chance.below(300)),
    budgets: [
      budgetRule('global', 2_000_000 + chance.below(8_000_000), 'hour'),
      budgetRule('key:*', 300_000 + chance.below(2_000_000), 'minute'),
      budgetRule('key:*', 2_000_000 + chance.below(4_000_000), 'day'),
      budgetRule('run:*', 500_000 + chance.below(1_000_000), 'lifetime'),
      budgetRule('provider:*', 1_000_000 + chance.below(3_000_000), 'minute'),
    ],
    skewMs: chance.below(5_000),
    delayMs: chance.below(40),
    lostOneIn: 10 + chance.below(90),
    crashes: chance.below(4),
    absences: chance.below(3),
    changes: chance.below(4),
    dearOneIn: 20,
  };
}
