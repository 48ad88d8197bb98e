// What separates our count from a provider's: a factor for each model and script, learned from every bill.

import { countingOf } from './encodings.ts';
import type { Script } from './mix.ts';
import { RecentByName } from './recent.ts';

/** Models and scripts remembered; names come from clients, so that they are bounded. 4,096 times 32 numbers is 1 MB. */
const namesMax = 4096;
const measurementsEach = 32;
/** With fewer measurements the starting value counts for the ones that are missing. */
const measurementsEnough = 8;
/** What nine in ten requests stay under, and with the margin about 97 in 100. */
const highShare = 0.9;
const margin = 1.05;

export interface Factors {
  /** Tokens of the provider for one of ours, on the high side. */
  factor(name: string, script: Script): number;
  /** A provider counted so many tokens for each of ours. */
  learn(name: string, script: Script, measured: number): void;
}

/** Before anything is known: how far single texts lie from our weights, and then how far the model's own tokenizer does. */
const startFactors: Readonly<Record<Script, number>> = {
  latin: 1.15,
  accented: 1.25,
  'two-byte': 1.4,
  wide: 1.3,
  emoji: 1.5,
};

/** `name` is `provider/model`. Bounded; lost at a restart. */
export function createFactors(): Factors {
  const measured = new RecentByName(namesMax, measurementsEach);
  // Six patterns are tried for a name: 1 µs.
  const countings = new Map<string, number>();
  const counting = (name: string): number => {
    let factor = countings.get(name);
    if (factor === undefined) {
      factor = countingOf(name).factor;
      if (countings.size >= namesMax) countings.clear();
      countings.set(name, factor);
    }
    return factor;
  };
  return {
    factor(name, script) {
      return high(measured, `${name} ${script}`, startFactors[script] * counting(name)) * margin;
    },
    learn(name, script, each) {
      // One odd bill (a cached turn, a hidden thought) must not make every later estimate absurd.
      measured.add(`${name} ${script}`, Math.min(8, Math.max(0.25, each)));
    },
  };
}

/** The high quantile of what was measured, drawn towards the start while that is little. */
export function high(all: RecentByName, name: string, start: number): number {
  const recent = all.find(name);
  const found = recent?.quantile(highShare);
  if (recent === undefined || found === undefined) return start;
  const weight = Math.min(1, recent.count / measurementsEnough);
  return found > start ? found : found * weight + start * (1 - weight);
}
