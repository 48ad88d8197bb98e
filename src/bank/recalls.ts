// What one instance has heard of being recalled, told back with its next call: only that one answers the recall.

import type { Purse, SliceWant } from '../exchange/bank.ts';
import { purseKey } from './rules.ts';

/** A purse that others are short of; `recalledAt` (epoch ms) tells one recall from the next. */
export interface Recall extends Purse {
  readonly recalledAt: number;
}

export interface Recalls {
  onRecall(listener: (purses: readonly Purse[]) => void): void;
  /** A call made from within, or after, was put together by somebody who knows. */
  deliver(recalls: readonly Recall[]): void;
  /** The newest recall heard of each of the purses; 0 where none. */
  heard(wants: readonly SliceWant[]): number[];
}

/** Recalls that are kept in mind; the oldest is forgotten first, and then counts as unanswered until the next. */
const keptMax = 100_000;

export function createRecalls(): Recalls {
  const listeners: ((purses: readonly Purse[]) => void)[] = [];
  const heard = new Map<string, number>();
  return {
    onRecall(listener) {
      listeners.push(listener);
    },
    deliver(recalls) {
      const fresh = recalls.filter((recall) => recall.recalledAt > (heard.get(purseKey(recall)) ?? 0));
      for (const recall of fresh) {
        heard.delete(purseKey(recall));
        heard.set(purseKey(recall), recall.recalledAt);
      }
      for (const key of heard.keys()) {
        if (heard.size <= keptMax) break;
        heard.delete(key);
      }
      if (fresh.length > 0) for (const listener of listeners) listener(fresh);
    },
    heard: (wants) => wants.map((want) => (heard.size === 0 ? 0 : (heard.get(purseKey(want)) ?? 0))),
  };
}
