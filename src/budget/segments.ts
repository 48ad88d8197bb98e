// The journal's files: rows appended in whole writes, a new segment when one is full, what is found in them at start.

import { rowBytesMax, scanRows, segmentAfter, segmentNames, writeRow } from '../exchange/journal.ts';
import type { BalancesRow, Counted, JournalRow } from '../exchange/receipt.ts';
import type { AppendFile, Log, SegmentFolder } from '../world/world.ts';

export interface Recovery {
  readonly rows: number;
  /** A torn tail that was cut off: the last write of a process or machine that died. */
  readonly truncatedBytes: number;
  /** Damage between whole rows, which no crash explains. */
  readonly damagedBytes: number;
}

/** The row that says everything written so far. `again`: receipts and corrections that are about to be repeated behind it. */
export type Head = (again: readonly Counted[]) => string;

/** Where the journal ends: a segment, and its bytes. */
export interface Position {
  readonly segment: string;
  readonly offset: number;
}

export interface Segments {
  /** Visits the rows from the last segment that begins with balances on, and cuts a torn tail off. Before any write. */
  recover(visit: (row: JournalRow) => void): Recovery;
  /** From now on each new segment begins with this row. */
  headBy(head: Head): void;
  /** All rows in one write, or none: throws what the file system says. */
  put(rows: readonly string[]): void;
  /** Begins a new segment where this one is full. Only while the head row says exactly what the file says. */
  rotate(): void;
  /** Begins a new segment behind one that the disk may have lost, and repeats rows. Throws what the file system says. */
  renew(rows: readonly string[], again: readonly Counted[]): void;
  /** Everything written so far survives power loss. */
  sync(): Promise<void>;
  /** Removes segments before `upTo` that ended before the epoch ms and that no start reads any more. */
  compact(upTo: string, before: number): Promise<string[]>;
  position(): Position;
  close(): void;
}

export function openSegments(folder: SegmentFolder, segmentBytes: number, keepForSync: boolean, log?: Log): Segments {
  let file = folder.open(segmentNames(folder.list()).at(-1) ?? segmentAfter(undefined));
  // The segment before, until its last rows are synced.
  let retired: AppendFile | undefined;
  let head: Head | undefined;
  const write = createWriter();

  return {
    recover(visit) {
      const found = recover(folder, file.name, visit, log);
      if (found.truncatedBytes > 0) {
        const { name, size } = file;
        file.close();
        folder.truncate(name, size - found.truncatedBytes);
        file = folder.open(name);
      }
      return found;
    },
    headBy(make) {
      head = make;
      try {
        if (file.size === 0) write(file, [make([])]);
      } catch (error) {
        log?.error('journal_write_failed', { segment: file.name, rows: 1, error: String(error) });
      }
    },
    put: (rows) => write(file, rows),
    rotate() {
      if (file.size < segmentBytes || !head || retired) return;
      try {
        const next = folder.open(segmentAfter(file.name));
        if (next.size === 0) write(next, [head([])]);
        if (keepForSync) retired = file;
        else file.close();
        file = next;
      } catch (error) {
        log?.warn('journal_segment_not_begun', { after: file.name, error: String(error) });
      }
    },
    renew(rows, again) {
      const next = folder.open(segmentAfter(file.name));
      if (next.size > 0) throw new Error(`${next.name} is there already`);
      write(next, [...(head ? [head(again)] : []), ...rows]);
      retired?.close();
      retired = undefined;
      file.close();
      file = next;
    },
    async sync() {
      const old = retired;
      if (old) {
        await old.sync();
        old.close();
        retired = undefined;
      }
      await file.sync();
    },
    async compact(upTo, before) {
      const past = removable(folder, file.name, upTo, before);
      if (past.length === 0) return past;
      // The head that stands for them must be on the disk before they are gone from it.
      await file.sync();
      for (const name of past) folder.remove(name);
      return past;
    },
    position: () => ({ segment: file.name, offset: file.size }),
    close() {
      retired?.close();
      file.close();
    },
  };
}

/** Frames rows in one buffer that is used again and again: an allocation a request would cost half a microsecond. */
function createWriter(): (file: AppendFile, rows: readonly string[]) => void {
  let scratch = Buffer.allocUnsafe(64 * 1024);
  return (file, rows) => {
    let most = 0;
    for (const row of rows) most += rowBytesMax(row);
    if (most > scratch.length) scratch = Buffer.allocUnsafe(most * 2);
    let end = 0;
    for (const row of rows) end = writeRow(scratch, end, row);
    file.write(scratch.subarray(0, end));
  };
}

function recover(folder: SegmentFolder, last: string, visit: (row: JournalRow) => void, log?: Log): Recovery {
  const names = segmentNames(folder.list());
  let first = names.length - 1;
  while (first > 0 && !headOf(folder, names[first] ?? '')) first -= 1;
  const found = { rows: 0, truncatedBytes: 0, damagedBytes: 0 };
  for (const name of names.slice(Math.max(first, 0))) {
    const bytes = folder.read(name);
    const scan = scanRows(bytes, 0, (row) => {
      found.rows += 1;
      visit(row);
    });
    found.damagedBytes += scan.damagedBytes;
    if (name === last) found.truncatedBytes = bytes.length - scan.end;
    else found.damagedBytes += bytes.length - scan.end;
  }
  if (found.damagedBytes > 0) log?.error('journal_damaged', { bytes: found.damagedBytes });
  if (found.truncatedBytes > 0) log?.warn('journal_tail_cut', { segment: last, bytes: found.truncatedBytes });
  return found;
}

/** Oldest first, without a gap: a segment ended when the head of a later one was written. */
function removable(folder: SegmentFolder, current: string, upTo: string, before: number): string[] {
  const names = segmentNames(folder.list());
  // A start reads from the newest head on; one more stays, should that head be damaged.
  const headed = names.filter((name) => name <= current && headOf(folder, name));
  const needed = headed.at(-2);
  const past: string[] = [];
  for (const name of names) {
    if (needed === undefined || name >= needed || name >= upTo) break;
    const next = headed.find((each) => each > name);
    if (next === undefined || (headOf(folder, next)?.at ?? before) >= before) break;
    past.push(name);
  }
  return past;
}

const headBytes = 64 * 1024;

/** The balances that a segment begins with; undefined where it begins otherwise. */
function headOf(folder: SegmentFolder, name: string): BalancesRow | undefined {
  for (let size = headBytes; ; size *= 4) {
    const bytes = folder.read(name, size);
    const lineEnd = bytes.indexOf('\n') + 1;
    if (lineEnd === 0 && bytes.length === size) continue;
    let head: BalancesRow | undefined;
    scanRows(bytes.subarray(0, lineEnd), 0, (row) => {
      if (row.type === 'balances') head = row;
      return false;
    });
    return head;
  }
}
