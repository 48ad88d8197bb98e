// The journal's files: rows appended in whole writes, a new segment when one is full, what is found in them at start.

import { rowBytesMax, scanRows, segmentAfter, segmentNames, writeRow } from '../exchange/journal.ts';
import type { JournalRow } from '../exchange/receipt.ts';
import type { AppendFile, Log, SegmentFolder } from '../world/world.ts';

export interface Recovery {
  readonly rows: number;
  /** A torn tail that was cut off: the last write of a process or machine that died. */
  readonly truncatedBytes: number;
  /** Damage between whole rows, which no crash explains. */
  readonly damagedBytes: number;
}

export interface Segments {
  /** Visits the rows from the last segment that begins with balances on, and cuts a torn tail off. Before any write. */
  recover(visit: (row: JournalRow) => void): Recovery;
  /** From now on each new segment begins with this row. */
  headBy(head: () => string): void;
  /** All rows in one write, or none: throws what the file system says. */
  put(rows: readonly string[]): void;
  /** Begins a new segment where this one is full. Only while the head row says exactly what the file says. */
  rotate(): void;
  /** Everything written so far survives power loss. */
  sync(): Promise<void>;
  close(): void;
}

export function openSegments(folder: SegmentFolder, segmentBytes: number, keepForSync: boolean, log?: Log): Segments {
  let file = folder.open(segmentNames(folder.list()).at(-1) ?? segmentAfter(undefined));
  // The segment before, until its last rows are synced.
  let retired: AppendFile | undefined;
  let head: (() => string) | undefined;
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
        if (file.size === 0) write(file, [make()]);
      } catch (error) {
        log?.error('journal_write_failed', { segment: file.name, rows: 1, error: String(error) });
      }
    },
    put: (rows) => write(file, rows),
    rotate() {
      if (file.size < segmentBytes || !head || retired) return;
      try {
        const next = folder.open(segmentAfter(file.name));
        if (next.size === 0) write(next, [head()]);
        if (keepForSync) retired = file;
        else file.close();
        file = next;
      } catch (error) {
        log?.warn('journal_segment_not_begun', { after: file.name, error: String(error) });
      }
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
  while (first > 0 && !beginsWithBalances(folder.read(names[first] ?? ''))) first -= 1;
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

function beginsWithBalances(bytes: Buffer): boolean {
  let begins = false;
  scanRows(bytes, 0, (row, end) => {
    begins = row.type === 'balances' && end === bytes.indexOf('\n') + 1;
    return false;
  });
  return begins;
}
