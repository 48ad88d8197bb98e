// The journal: an append-only, checksummed file. What is in it is true; everything else can be made from it.

import type { JournalRow } from '../exchange/receipt.ts';
import { Refusal } from '../exchange/refusal.ts';
import type { Clock, Log, SegmentFolder } from '../world/world.ts';
import { createDurable } from './durable.ts';
import { type Head, openSegments, type Position, type Recovery, type Segments } from './segments.ts';

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
  headBy(head: Head): void;
  /** A hold: written at the end of this turn of the loop, in one write with the others, or, where they are few, as soon as somebody waits. */
  append(json: string): void;
  /** What was appended or written last is as durable as was asked for. Rejects with `ledger_unavailable`. */
  written(): Promise<void>;
  /** In the file when it returns true, together with what waits. False: not there, and nothing is kept. */
  write(json: string): boolean;
  /**
   * A settlement: written as a hold is, or else kept, tried again, and `failing` until it is there. A row of no money may
   * be lost.
   */
  settle(json: string, money: boolean): void;
  /** A settlement waits for the file, or the disk is not known to have taken one: admit nobody. */
  readonly failing: boolean;
  /**
   * Kept once what was settled so far is written and as durable as was asked for, or once it is known that it cannot be
   * and nobody is admitted any more: an answer that was paid for leaves in any case. Undefined where nothing is to be
   * waited for.
   */
  settled(): Promise<void> | undefined;
  /** Where the file ends, with everything that was appended until now. */
  position(): Position;
  /** Removes segments that nobody needs: before `upTo`, ended before this epoch ms, and summed in a later one. */
  compact(upTo: string, before: number): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** A row that waits to be written. */
interface Pending {
  readonly json: string;
  /** A hold that is not written never was; what else waits is kept: a settlement of money, or of none. */
  readonly kind: 'hold' | 'money' | 'no-money';
}

/** Those who wait for the rows of one write: many answers leave behind it. */
interface Batch {
  readonly holds: PromiseWithResolvers<void>;
  /** Never rejected: an answer that was paid for leaves in any case. */
  readonly settlements: PromiseWithResolvers<void>;
}

const nothing = Promise.resolve();

/**
 * So few rows of a turn are written as soon as somebody waits for them: there is next to nothing to share a write with, and
 * the turn of a loop that streams a thousand answers lasts for milliseconds.
 */
const fewRows = 2;

/** Opens the newest segment for writing. Throws what the file system says. */
export function openJournal(folder: SegmentFolder, clock: Clock, options: JournalOptions = {}): Journal {
  const { durability = 'page-cache', segmentBytes = 64 * 1024 * 1024, log } = options;
  const full = durability === 'full';
  const segments = openSegments(folder, segmentBytes, full, log);
  const kept = createKept(segments, clock, (json) => durable?.add(json), log);
  /** Writes what waits, whose settlements stand in the balances already; true where the file still lacks something. */
  const behind = (): boolean => !flush() || kept.any;
  const durable = full ? createDurable(segments, clock, behind, log) : undefined;
  let pending: Pending[] = [];
  let batch: Batch | undefined;
  /** Rows of this turn of the loop, and of the last one that had any. */
  let rowsNow = 0;
  let rowsBefore = 0;
  let last: Promise<void> = nothing;

  const synced = async (): Promise<void> => {
    try {
      await durable?.sync();
    } catch {
      throw unavailable();
    }
  };

  const wait = (row: Pending): Batch => {
    pending.push(row);
    if (rowsNow++ === 0) clock.soon(turnOver);
    if (batch) return batch;
    batch = { holds: Promise.withResolvers(), settlements: Promise.withResolvers() };
    void quietly(batch.holds.promise);
    return batch;
  };

  const turnOver = (): void => {
    rowsBefore = rowsNow;
    rowsNow = 0;
    flush();
  };

  const writeIfFew = (): void => {
    if (batch && rowsNow <= fewRows && rowsBefore <= fewRows) flush();
  };

  const release = ({ holds, settlements }: Batch): void => {
    if (durable) synced().then(holds.resolve, holds.reject).finally(settlements.resolve);
    else {
      holds.resolve();
      settlements.resolve();
    }
  };

  /** Writes what waits, and one row more. */
  const flush = (row?: string): boolean => {
    const rows = pending;
    const waiting = batch;
    pending = [];
    batch = undefined;
    if (rows.length === 0 && row === undefined) return true;
    const texts = rows.map(({ json }) => json);
    if (row !== undefined) texts.push(row);
    try {
      segments.put(texts);
    } catch (error) {
      log?.error('journal_write_failed', { rows: texts.length, error: String(error) });
      for (const { json, kind } of rows) if (kind !== 'hold') kept.add(json, kind === 'money');
      waiting?.holds.reject(unavailable());
      waiting?.settlements.resolve();
      return false;
    }
    if (durable) for (const { json, kind } of rows) if (kind === 'money') durable.add(json);
    if (waiting) release(waiting);
    // After a write, never before one: at this point the balances say exactly what the file says.
    if (!kept.any) segments.rotate();
    return true;
  };

  return {
    recover: (visit) => segments.recover(visit),
    headBy: (head) => segments.headBy(head),
    append(json) {
      last = wait({ json, kind: 'hold' }).holds.promise;
    },
    written() {
      writeIfFew();
      return last;
    },
    write(json) {
      if (kept.any || !flush(json)) return false;
      durable?.add(json);
      last = durable ? quietly(synced()) : nothing;
      return true;
    },
    settle(json, money) {
      if (kept.any) kept.add(json, money);
      else wait({ json, kind: money ? 'money' : 'no-money' });
    },
    get failing() {
      return kept.any || durable?.failing === true;
    },
    settled() {
      const waiting = batch;
      writeIfFew();
      // What was written just now is being synced; a second sync would double the wait.
      if (durable && waiting) return waiting.settlements.promise;
      return batch?.settlements.promise ?? (durable && !kept.any ? durable.sync().catch(() => undefined) : undefined);
    },
    position() {
      flush();
      return segments.position();
    },
    compact: (upTo, before) => segments.compact(upTo, before),
    async close() {
      flush();
      kept.close();
      durable?.close();
      await durable?.sync().catch(() => log?.error('journal_sync_failed', { at: 'close' }));
      segments.close();
    },
  };
}

/** Nobody may be waiting for it; whoever asks later is told the same. */
function quietly(promise: Promise<void>): Promise<void> {
  promise.catch(() => undefined);
  return promise;
}

const retryMs = 200;
/** Rows of no money (refusals while the disk is full) kept for a later write. Rows of money are bounded by open holds. */
const idleRowsMax = 10_000;

/** Settlements that the file did not take, in order, until it does. */
function createKept(segments: Segments, clock: Clock, written: (json: string) => void, log?: Log) {
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
    log?.warn('journal_writes_again', { rows: rows.length, lost });
    for (const row of rows) written(row);
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

/** No money moves while its movements cannot be written down. */
export function unavailable(): Refusal {
  return new Refusal(
    'ledger_unavailable',
    'The gateway cannot write its ledger, so it lets no request spend. The operator finds the reason in its log.',
  );
}
