// Framing of journal rows: `crc32 json\n`, one line each, so that a torn or damaged stretch is seen and skipped over.

import { crc32 } from 'node:zlib';
import type { JournalRow } from './receipt.ts';

// A line of text rather than a binary frame: an operator can read the ledger with `tail`, and the line feed, which
// JSON never contains, lets a reader find the next whole row after damage. It costs 10 bytes a row.
const lineFeed = 0x0a;
const blank = 0x20;
const openBrace = 0x7b;
/** Eight hex digits and a blank. */
const headBytes = 9;
const hex = Buffer.from('0123456789abcdef', 'latin1');
/** By byte: what it says as a hex digit, 255 where it is none. */
const values = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = hex.indexOf(byte);
  return digit < 0 ? 255 : digit;
});

/** The most bytes that `writeRow` can need for this text: UTF-8 takes at most three for each UTF-16 unit. */
export function rowBytesMax(json: string): number {
  return headBytes + json.length * 3 + 1;
}

/** Writes one row at `at` and returns where it ends. `buffer` must have `rowBytesMax` free. `json` has no line feed. */
export function writeRow(buffer: Buffer, at: number, json: string): number {
  const from = at + headBytes;
  const to = from + buffer.write(json, from, 'utf8');
  let checksum = crc32(buffer.subarray(from, to));
  for (let digit = 7; digit >= 0; digit--) {
    buffer[at + digit] = hex[checksum & 15] ?? 0;
    checksum >>>= 4;
  }
  buffer[at + 8] = blank;
  buffer[to] = lineFeed;
  return to + 1;
}

export function encodeRow(row: JournalRow): Buffer {
  const json = JSON.stringify(row);
  const buffer = Buffer.allocUnsafe(rowBytesMax(json));
  return buffer.subarray(0, writeRow(buffer, 0, json));
}

export interface Scan {
  /** Where the last whole row ends; bytes after it are a torn or damaged tail, or a row still being written. */
  readonly end: number;
  /** Bytes before `end` that belong to no whole row: real damage, never a matter of a crash. */
  readonly damagedBytes: number;
}

/** Visits every whole row from `from` on, in order. Stops after a row for which `visit` says false. */
export function scanRows(bytes: Buffer, from: number, visit: (row: JournalRow, end: number) => unknown): Scan {
  return scanTexts(bytes, from, (json, end) => visit(JSON.parse(json), end));
}

/** The same for those who need the text itself. */
export function scanTexts(bytes: Buffer, from: number, visit: (json: string, end: number) => unknown): Scan {
  return scanSpans(bytes, from, (start, end) => visit(bytes.toString(undefined, start, end), end + 1));
}

/** The same for those who need few of the rows: the JSON of each is `bytes` from `start` to `end`, a line feed behind it. */
export function scanSpans(bytes: Buffer, from: number, visit: (start: number, end: number) => unknown): Scan {
  let whole = from;
  let damagedBytes = 0;
  for (let at = from; ; ) {
    const end = bytes.indexOf(lineFeed, at);
    if (end < 0) break;
    if (isWhole(bytes, at, end)) {
      damagedBytes += at - whole;
      whole = end + 1;
      if (visit(at + headBytes, end) === false) break;
    }
    at = end + 1;
  }
  return { end: whole, damagedBytes };
}

function isWhole(bytes: Buffer, at: number, end: number): boolean {
  const from = at + headBytes;
  if (end <= from || bytes[at + 8] !== blank || bytes[from] !== openBrace) return false;
  // Digit by digit, which spares a string a row.
  let checksum = 0;
  for (let index = at; index < at + 8; index++) {
    const digit = values[bytes[index] ?? 0] ?? 255;
    if (digit > 15) return false;
    checksum = (checksum << 4) | digit;
  }
  return checksum >>> 0 === crc32(bytes.subarray(from, end));
}

const segmentName = /^\d{12}\.journal$/;

/** Segment files of a folder in the order they were written. */
export function segmentNames(names: readonly string[]): string[] {
  return names.filter((name) => segmentName.test(name)).sort();
}

export function segmentAfter(name: string | undefined): string {
  return `${String(name === undefined ? 1 : Number.parseInt(name, 10) + 1).padStart(12, '0')}.journal`;
}
