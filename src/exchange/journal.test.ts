import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeRow, rowBytesMax, scanRows, segmentAfter, segmentNames, writeRow } from './journal.ts';
import type { JournalRow } from './receipt.ts';

const adjust = (id: string, amount: number): JournalRow => {
  return { type: 'adjust', id, at: 1, number: 1, amount, provider: 'sim', model: 'é\n"\u0000\ud800' };
};

function rowsOf(bytes: Buffer): { rows: JournalRow[]; end: number; damagedBytes: number } {
  const rows: JournalRow[] = [];
  const scan = scanRows(bytes, 0, (row) => rows.push(row));
  return { rows, ...scan };
}

test('any rows survive, whatever their strings contain', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.nat()), { maxLength: 6 }), (list) => {
      const rows = list.map(([id, amount]) => ({ ...adjust(id, amount), model: id }) as JournalRow);
      const bytes = Buffer.concat(rows.map(encodeRow));
      assert.deepEqual(rowsOf(bytes), { rows, end: bytes.length, damagedBytes: 0 });
    }),
    { seed: 3, numRuns: 500 },
  );
});

test('a file cut at any byte gives exactly its whole rows', () => {
  const parts = [adjust('a', 1), adjust('bé', 2), adjust('c', 3)].map(encodeRow);
  const bytes = Buffer.concat(parts);
  for (let size = 0; size <= bytes.length; size++) {
    const { rows, end, damagedBytes } = rowsOf(bytes.subarray(0, size));
    const ends = parts
      .map((_, index) => Buffer.concat(parts.slice(0, index + 1)).length)
      .filter((each) => each <= size);
    const [whole, wholeEnd] = [ends.length, ends.at(-1) ?? 0];
    assert.deepEqual([rows.length, end, damagedBytes], [whole, wholeEnd, 0], `cut at ${size}`);
  }
});

test('one changed byte loses its own row and no other', () => {
  const parts = [adjust('a', 1), adjust('b', 2), adjust('c', 3)].map(encodeRow);
  const first = parts[0]?.length ?? 0;
  const second = parts[1]?.length ?? 0;
  for (let at = first; at < first + second - 1; at++) {
    const bytes = Buffer.concat(parts);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    const { rows, end, damagedBytes } = rowsOf(bytes);
    assert.deepEqual([rows, end, damagedBytes], [[adjust('a', 1), adjust('c', 3)], bytes.length, second], `byte ${at}`);
  }
});

test('a tail of zeros, as a file system leaves it after power loss, is no row', () => {
  const row = encodeRow(adjust('a', 1));
  const scan = rowsOf(Buffer.concat([row, Buffer.alloc(4096), Buffer.from('\n')]));
  assert.deepEqual([scan.rows.length, scan.end, scan.damagedBytes], [1, row.length, 0]);
});

test('visiting stops where it is told to', () => {
  const bytes = Buffer.concat([adjust('a', 1), adjust('b', 2)].map(encodeRow));
  const seen: JournalRow[] = [];
  const { end } = scanRows(bytes, 0, (row) => {
    seen.push(row);
    return false;
  });
  assert.deepEqual([seen, end], [[adjust('a', 1)], encodeRow(adjust('a', 1)).length]);
});

test('rows stand one after another in one buffer', () => {
  const json = '{"type":"adjust","id":"ü"}';
  const buffer = Buffer.alloc(2 * rowBytesMax(json));
  const end = writeRow(buffer, writeRow(buffer, 0, json), json);
  assert.equal(rowsOf(buffer.subarray(0, end)).rows.length, 2);
});

test('segments are named in the order they are written', () => {
  assert.equal(segmentAfter(undefined), '000000000001.journal');
  assert.equal(segmentAfter('000000000009.journal'), '000000000010.journal');
  assert.deepEqual(segmentNames(['b', '000000000010.journal', '000000000002.journal', '.lock']), [
    '000000000002.journal',
    '000000000010.journal',
  ]);
});
