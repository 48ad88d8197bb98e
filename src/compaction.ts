// Removes what the journal no longer needs: files that every reader has passed, and whose sums a later one begins with.

import type { Journal } from './budget/journal.ts';
import type { Store } from './store/store.ts';
import type { Cancel, Clock, Log } from './world/world.ts';

export interface CompactionParts {
  readonly store: Pick<Store, 'catchUp'>;
  readonly journal: Pick<Journal, 'compact'>;
  readonly keepMs: number;
  readonly clock: Pick<Clock, 'now' | 'every'>;
  readonly log: Log;
}

const everyMs = 3_600_000;

export function compactOften(parts: CompactionParts): Cancel {
  return parts.clock.every(everyMs, () => void compact(parts));
}

/** One look; never rejects. What cannot be removed now is looked at again the next time. */
export async function compact({ store, journal, keepMs, clock, log }: CompactionParts): Promise<readonly string[]> {
  try {
    const { cursor } = await store.catchUp();
    const removed = await journal.compact(cursor.segment, clock.now() - keepMs);
    const last = removed.at(-1);
    if (last !== undefined) log.info('journal_compacted', { segments: removed.length, last });
    return removed;
  } catch (error) {
    log.warn('journal_not_compacted', { error: String(error) });
    return [];
  }
}
