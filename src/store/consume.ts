// The journal's reader: whole rows from the cursor on, into tables, the cursor in the same transaction.

import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { scanSpans, segmentNames } from '../exchange/journal.ts';
import type { CorrectionRow } from '../exchange/receipt.ts';
import type { Database } from './database.ts';
import { type Batch, post } from './post.ts';
import { type Received, receive, startsWith } from './received.ts';

export interface Cursor {
  readonly segment: string;
  readonly offset: number;
}

export interface Consumer {
  /** Reads at most one chunk; false once nothing is left of what was there when it began. One at a time. */
  step(): Promise<boolean>;
  /** Where the next step begins. */
  cursor(): Promise<Cursor>;
}

export interface ConsumerOptions {
  readonly journalFolder: string;
  /** Whose journal it is: each instance has a cursor of its own. */
  readonly instance: string;
}

/** Bytes read at a time: bounds both memory and the length of a transaction. */
const chunkBytes = 1024 * 1024;

export function createConsumer(database: Database, { journalFolder, instance }: ConsumerOptions): Consumer {
  /** One for all readings: a new one each time costs a page fault for each of its pages. */
  const chunk = Buffer.allocUnsafeSlow(chunkBytes);
  /** Unset where only the database knows: at first, and after a commit of which nobody heard how it ended. */
  let known: Cursor | undefined;

  const load = async (): Promise<Cursor> => {
    const [row] = await database.all('SELECT segment, bytes FROM cursors WHERE instance = ?', [instance]);
    known = checked(journalFolder, { segment: String(row?.segment ?? ''), offset: Number(row?.bytes ?? 0) });
    return known;
  };

  const advance = async (to: Cursor, batch: Batch): Promise<void> => {
    known = undefined;
    await database.transaction(async (session) => {
      const [horizon] = await session.all('SELECT kept_from FROM horizon');
      const keptFrom = Number(horizon?.kept_from ?? 0);
      const { receipts } = batch;
      await post(session, {
        ...batch,
        receipts: keptFrom === 0 ? receipts : receipts.filter(({ at }) => at >= keptFrom),
      });
      await session.run(
        `INSERT INTO cursors (instance, segment, bytes) VALUES (?, ?, ?)
        ON CONFLICT (instance) DO UPDATE SET segment = excluded.segment, bytes = excluded.bytes`,
        [instance, to.segment, to.offset],
      );
    });
    known = to;
  };

  return {
    cursor: async () => known ?? (await load()),
    async step() {
      const at = known ?? (await load());
      // The list first: a segment that has a successor now is whole, whatever is read of it afterwards.
      const names = existsSync(journalFolder) ? segmentNames(readdirSync(journalFolder)) : [];
      const name = names.includes(at.segment) ? at.segment : names.find((each) => each > at.segment);
      if (name === undefined) return false;
      const offset = name === at.segment ? at.offset : 0;
      const receipts: Received[] = [];
      const corrections: CorrectionRow[] = [];
      const { bytes, atEnd } = readWhole(join(journalFolder, name), offset, chunk);
      const { end } = scanSpans(bytes, 0, (start, to) => {
        if (startsWith(bytes, start, receiptHead)) receipts.push(receive(bytes, start, to));
        else if (startsWith(bytes, start, correctionHead))
          corrections.push(JSON.parse(bytes.toString(undefined, start, to)));
      });
      const next = names.find((each) => each > name);
      if (end > 0) await advance({ segment: name, offset: offset + end }, { receipts, corrections });
      else if (next) await advance({ segment: next, offset: 0 }, { receipts: [], corrections: [] });
      return next !== undefined || !atEnd;
    },
  };
}

/** A row's JSON begins with its type. Half of the rows are holds, of which nothing is wanted here. */
const receiptHead = Buffer.from('{"type":"receipt"', 'latin1');
const correctionHead = Buffer.from('{"type":"correction"', 'latin1');

/** From `offset`, a chunk or more: as much as it takes to have one whole row, or all there is. Valid until the next reading. */
function readWhole(path: string, offset: number, chunk: Buffer): { bytes: Buffer; atEnd: boolean } {
  const descriptor = openSync(path, 'r');
  try {
    const left = Math.max(0, fstatSync(descriptor).size - offset);
    for (let size = Math.min(left, chunk.length); ; size = Math.min(left, size * 2)) {
      const buffer = size > chunk.length ? Buffer.allocUnsafe(size) : chunk;
      const bytes = buffer.subarray(0, readSync(descriptor, buffer, 0, size, offset));
      const atEnd = size >= left;
      let found = atEnd;
      if (!atEnd) {
        scanSpans(bytes, 0, () => {
          found = true;
          return false;
        });
      }
      if (found) return { bytes, atEnd };
    }
  } finally {
    closeSync(descriptor);
  }
}

/**
 * After a power loss the journal can be shorter than what was read of it, and have grown since: a cursor that does not
 * stand behind a row's end begins its segment again. What was read before is known by its id.
 */
function checked(folder: string, cursor: Cursor): Cursor {
  const path = join(folder, cursor.segment);
  if (cursor.segment === '' || cursor.offset === 0 || !existsSync(path)) return cursor;
  const descriptor = openSync(path, 'r');
  try {
    const byte = Buffer.alloc(1);
    const read = readSync(descriptor, byte, 0, 1, cursor.offset - 1);
    return read === 1 && byte[0] === 0x0a ? cursor : { segment: cursor.segment, offset: 0 };
  } finally {
    closeSync(descriptor);
  }
}
