// The journal: an append-only, checksummed file. What is in it is true; everything else can be made from it.

import type { JournalRow } from '../exchange/receipt.ts';
import { Refusal } from '../exchange/refusal.ts';
import type { Clock, Log, SegmentFolder } from '../world/world.ts';
import { openSegments, type Recovery, type Segments } from './segments.ts';

export interface JournalOptions {
  /** `page-cache` (default) survives the death of the process; `full` also power loss, at one fdatasync a batch. */
  readonly durability?: 'page-cache' | 'full';
  /** A new segment is begun after this many bytes; 64 MB. */
  readonly segmentBytes?: number;
  readonly log?: Log;
}

/** Rows are handed over as their JSON text: the caller has most of it ready, and a stringify less is a microsecond. */
export interface Journal {
  /** Visits what earlier processes wrote, from the last segment that begins with balances. Once, before any write. */
  recover(visit: (row: JournalRow) => void): Recovery;
  /** From now on each new segment begins with this row, which must say everything that was written so far. */
  headBy(head: () => string): void;
  /** A hold: written with the others of this turn of the loop, in one write. */
  append(json: string): void;
  /** For the rows appended in this turn: in the file. Rejects with `ledger_unavailable`. Call in the turn of `append`. */
  written(): Promise<void>;
  /** In the file when it returns true, together with what waits. False: not there, and nothing is kept. */
  write(json: string): boolean;
  /** In the file when it returns, or else kept, tried again, and `failing` until it is. A row of no money may be lost. */
  settle(json: string, money: boolean): void;
  /** A settlement waits for the file: admit nobody. */
  readonly failing: boolean;
  /** What was settled so far is as durable as was asked for. Rejects with `ledger_unavailable`. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

interface Turn {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(reason: Refusal): void;
}

/** Opens the newest segment for writing. Throws what the file system says. */
export function openJournal(folder: SegmentFolder, clock: Clock, options: JournalOptions = {}): Journal {
  const { durability = 'page-cache', segmentBytes = 64 * 1024 * 1024, log } = options;
  const full = durability === 'full';
  const segments = openSegments(folder, segmentBytes, full, log);
  const sync = full ? oneAtATime(() => segments.sync()) : undefined;
  const kept = createKept(segments, clock, log);
  let pending: string[] = [];
  let turn: Turn | undefined;

  /** Writes what waits, and one row more. */
  const flush = (row?: string): boolean => {
    const rows = row === undefined ? pending : [...pending, row];
    const waiting = turn;
    pending = [];
    turn = undefined;
    if (rows.length === 0) return true;
    try {
      segments.put(rows);
    } catch (error) {
      log?.error('journal_write_failed', { rows: rows.length, error: String(error) });
      waiting?.reject(unavailable());
      return false;
    }
    if (waiting) {
      if (sync) sync().then(waiting.resolve, () => waiting.reject(unavailable()));
      else waiting.resolve();
    }
    // After a write, never before one: at this point the balances say exactly what the file says.
    if (!kept.any) segments.rotate();
    return true;
  };

  return {
    recover: (visit) => segments.recover(visit),
    headBy: (head) => segments.headBy(head),
    append(json) {
      if (!turn) {
        turn = Promise.withResolvers<void>();
        // Nobody may be waiting for it; whoever writes next is told the same.
        turn.promise.catch(() => undefined);
        clock.soon(() => void flush());
      }
      pending.push(json);
    },
    written: () => turn?.promise ?? Promise.resolve(),
    write: (json) => !kept.any && flush(json),
    settle(json, money) {
      if (kept.any || !flush(json)) kept.add(json, money);
    },
    get failing() {
      return kept.any;
    },
    settled() {
      if (kept.any) return Promise.reject(unavailable());
      return sync ? sync().catch(() => Promise.reject(unavailable())) : Promise.resolve();
    },
    async close() {
      flush();
      kept.close();
      await sync?.();
      segments.close();
    },
  };
}

const retryMs = 200;
/** Rows of no money (refusals while the disk is full) kept for a later write. Rows of money are bounded by open holds. */
const idleRowsMax = 10_000;

/** Settlements that the file did not take, in order, until it does. */
function createKept(segments: Segments, clock: Clock, log?: Log) {
  let rows: string[] = [];
  let idle = 0;
  let lost = 0;
  let closed = false;

  const retry = (): void => {
    if (closed || rows.length === 0) return;
    try {
      segments.put(rows);
    } catch {
      clock.after(retryMs, retry);
      return;
    }
    log?.info('journal_writes_again', { rows: rows.length, lost });
    rows = [];
    idle = 0;
    lost = 0;
    segments.rotate();
  };

  return {
    get any() {
      return rows.length > 0;
    },
    add(json: string, money: boolean): void {
      if (!money && ++idle > idleRowsMax) {
        lost += 1;
        return;
      }
      rows.push(json);
      if (rows.length === 1) clock.after(retryMs, retry);
    },
    close(): void {
      retry();
      closed = true;
      if (rows.length > 0) log?.error('journal_rows_lost', { rows: rows.length });
    },
  };
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

/** No money moves while its movements cannot be written down. */
export function unavailable(): Refusal {
  return new Refusal(
    'ledger_unavailable',
    'The gateway cannot write its ledger, so it lets no request spend. The operator finds the reason in its log.',
  );
}
