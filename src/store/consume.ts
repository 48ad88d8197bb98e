// The journal's reader: whole rows from the cursor on, into tables, the cursor in the same transaction.

import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { scanRows, segmentNames } from '../exchange/journal.ts';
import type { Receipt } from '../exchange/receipt.ts';
import { inTransaction } from './database.ts';
import { createInsert } from './insert.ts';

export interface Cursor {
  readonly segment: string;
  readonly offset: number;
}

export interface Consumer {
  /** Reads at most one chunk; false where there was nothing new. */
  step(): boolean;
  cursor(): Cursor;
}

/** Bytes read at a time: bounds both memory and the length of a transaction. */
const chunkBytes = 4 * 1024 * 1024;

export function createConsumer(database: DatabaseSync, journalFolder: string): Consumer {
  const insert = createInsert(database);
  const save = database.prepare('UPDATE cursor SET segment = ?, offset = ? WHERE one = 1');
  const stored = database.prepare('SELECT segment, offset, kept_from FROM cursor').get();
  let at: Cursor = checked(journalFolder, { segment: String(stored?.segment), offset: Number(stored?.offset) });

  const advance = (to: Cursor, receipts: readonly Receipt[]): void => {
    const { kept_from } = database.prepare('SELECT kept_from FROM cursor').get() ?? {};
    inTransaction(database, () => {
      for (const receipt of receipts) if (receipt.at >= Number(kept_from)) insert(receipt);
      save.run(to.segment, to.offset);
    });
    at = to;
  };

  return {
    cursor: () => at,
    step() {
      // The list first: a segment that has a successor now is whole, whatever is read of it afterwards.
      const names = existsSync(journalFolder) ? segmentNames(readdirSync(journalFolder)) : [];
      const name = names.includes(at.segment) ? at.segment : names.find((each) => each > at.segment);
      if (name === undefined) return false;
      const offset = name === at.segment ? at.offset : 0;
      const receipts: Receipt[] = [];
      const bytes = readWhole(join(journalFolder, name), offset);
      const { end } = scanRows(bytes, 0, (row) => {
        if (row.type === 'receipt') receipts.push(row.receipt);
      });
      const next = names.find((each) => each > name);
      if (end > 0) advance({ segment: name, offset: offset + end }, receipts);
      else if (next) advance({ segment: next, offset: 0 }, []);
      else return false;
      return true;
    },
  };
}

/** From `offset`, a chunk or more: as much as it takes to have one whole row, or all there is. */
function readWhole(path: string, offset: number): Buffer {
  const descriptor = openSync(path, 'r');
  try {
    const left = Math.max(0, fstatSync(descriptor).size - offset);
    for (let size = Math.min(left, chunkBytes); ; size = Math.min(left, size * 2)) {
      const buffer = Buffer.allocUnsafe(size);
      const bytes = buffer.subarray(0, readSync(descriptor, buffer, 0, size, offset));
      let found = false;
      if (size < left) {
        scanRows(bytes, 0, () => {
          found = true;
          return false;
        });
      }
      if (found || size >= left) return bytes;
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
