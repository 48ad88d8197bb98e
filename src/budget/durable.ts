// What `durability: full` adds: one fdatasync at a time for all that was written before it, and what follows a failed one.

import type { Counted } from '../exchange/receipt.ts';
import type { Clock, Log } from '../world/world.ts';
import type { Segments } from './segments.ts';

export interface Durable {
  /** A row that was written and must not be lost, should the disk turn out to have dropped it. */
  add(json: string): void;
  /** Everything written so far survives power loss. Rejects where that is not known, at once while `failing`. */
  sync(): Promise<void>;
  /** The last sync failed, and no later one has succeeded. */
  readonly failing: boolean;
  close(): void;
}

const retryMs = 200;
const retryMsMax = 10_000;

/**
 * After a failed sync the kernel may have dropped what it could not write, and say of it at the next sync that all is
 * well. So the segment is not trusted: another one begins, with the balances of this moment, and what was written since
 * the last good sync stands in it again. `behind` writes what waits, and is true where the balances are still ahead of the file.
 */
export function createDurable(segments: Segments, clock: Clock, behind: () => boolean, log?: Log): Durable {
  // Written since the last good sync began: bounded by the holds that were open, since nobody is admitted meanwhile.
  let unsynced: string[] = [];
  let failing = false;
  let closed = false;
  let waitMs = retryMs;

  const synced = async (): Promise<void> => {
    const count = unsynced.length;
    await segments.sync();
    unsynced = unsynced.slice(count);
  };

  const failed = (error: unknown): void => {
    if (!failing) log?.error('journal_sync_failed', { error: String(error) });
    failing = true;
    if (!closed) clock.after(waitMs, () => void again());
    waitMs = Math.min(waitMs * 2, retryMsMax);
  };

  async function again(): Promise<void> {
    if (closed) return;
    try {
      if (behind()) throw new Error('settlements wait for the file');
      const rows = unsynced.filter((json) => idOf(json) !== undefined);
      segments.renew(rows, countedOf(rows, clock.now()));
      await synced();
      failing = false;
      waitMs = retryMs;
      log?.warn('journal_syncs_again', { segment: segments.position().segment, repeated: rows.length });
    } catch (error) {
      failed(error);
    }
  }

  const run = oneAtATime(async () => {
    if (failing) throw new Error('the journal cannot be synced');
    try {
      await synced();
    } catch (error) {
      failed(error);
      throw error;
    }
  });

  return {
    add: (json) => void unsynced.push(json),
    sync: run,
    get failing() {
      return failing;
    },
    close() {
      closed = true;
    },
  };
}

function countedOf(rows: readonly string[], now: number): Counted[] {
  return rows.map((json) => ({ id: idOf(json) ?? '', until: now }));
}

/** Of a receipt or a correction; what else is written stands in the balances whole. */
function idOf(json: string): string | undefined {
  const row = JSON.parse(json) as { type: string; id?: string; receipt?: { id: string } };
  return row.type === 'receipt' ? row.receipt?.id : row.type === 'correction' ? row.id : undefined;
}

/** A call during a run waits for the next run, which begins after everything that was done until the call. */
function oneAtATime(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = (): Promise<void> => {
    next = undefined;
    running = run().finally(() => {
      running = undefined;
    });
    return running;
  };
  return () => {
    if (!running) return start();
    next ??= running.then(start, start);
    return next;
  };
}
