// The verifier's own reader of a journal: line by line, shared with nothing that writes or recovers it.

import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { JournalRow } from '../../exchange/receipt.ts';

export interface Place {
  readonly segment: string;
  readonly offset: number;
}

export interface Found {
  readonly segments: readonly string[];
  /** Bytes that belong to no whole row. */
  readonly damagedBytes: number;
}

const chunkBytes = 8 * 1024 * 1024;

/**
 * Visits every whole row up to `end` in order; without `end`, to the last whole row there is. `visit` is told where the
 * row ends. Memory: one chunk, or the longest row.
 */
export function readJournal(
  folder: string,
  end: Place | undefined,
  visit: (row: JournalRow, at: Place) => void,
): Found {
  const names = readdirSync(folder)
    .filter((name) => /^\d{12}\.journal$/.test(name) && (end === undefined || name <= end.segment))
    .sort();
  let damagedBytes = 0;
  for (const segment of names) {
    const upTo = segment === end?.segment ? end.offset : Number.POSITIVE_INFINITY;
    const last = end === undefined && segment === names.at(-1);
    damagedBytes += readSegment(join(folder, segment), upTo, last, (row, offset) => visit(row, { segment, offset }));
  }
  return { segments: names, damagedBytes };
}

function readSegment(
  path: string,
  upTo: number,
  mayEndTorn: boolean,
  visit: (row: JournalRow, end: number) => void,
): number {
  const descriptor = openSync(path, 'r');
  let damagedBytes = 0;
  try {
    const buffer = Buffer.allocUnsafe(chunkBytes);
    let rest: Buffer = Buffer.alloc(0);
    for (let offset = 0; ; ) {
      const wanted = Math.min(chunkBytes, upTo - offset - rest.length);
      const count = wanted > 0 ? readSync(descriptor, buffer, 0, wanted, offset + rest.length) : 0;
      if (count === 0) {
        if (!mayEndTorn) damagedBytes += rest.length;
        return damagedBytes;
      }
      const bytes = Buffer.concat([rest, buffer.subarray(0, count)]);
      let from = 0;
      for (let to = bytes.indexOf(10, from); to >= 0; to = bytes.indexOf(10, from)) {
        const row = rowOf(bytes.subarray(from, to));
        offset += to + 1 - from;
        if (row) visit(row, offset);
        else damagedBytes += to + 1 - from;
        from = to + 1;
      }
      rest = bytes.subarray(from);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** `crc32 json`; undefined where the line is not what its checksum says. */
function rowOf(line: Buffer): JournalRow | undefined {
  const text = line.toString('latin1', 0, 9);
  if (!/^[0-9a-f]{8} $/.test(text)) return undefined;
  const json = line.subarray(9);
  return crc32(json) === Number.parseInt(text, 16) ? (JSON.parse(json.toString('utf8')) as JournalRow) : undefined;
}
