// The load generator's own reading: an answer cut anywhere gives the same marks and the same end.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mark } from '../../bench/mark.ts';
import { createReader } from '../../bench/reader.ts';

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

const texts = [mark(1), mark(1_234_567_890_123_456), `x${mark(77)}`];
const streamed = [
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
  ...texts.map((text) => chunk(`data: {"delta":"${text}"}\n\n`)),
  // A server may split a chunk anywhere: a mark then lies in two of them.
  chunk(`data: "${mark(5).slice(0, 7)}`),
  chunk(`${mark(5).slice(7)}"\n\n`),
  '0\r\n\r\n',
].join('');
const refused = 'HTTP/1.1 402 Payment Required\r\ncontent-length: 2\r\nConnection: close\r\n\r\n{}';
const empty = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n';
const wire = Buffer.from(streamed + empty + refused, 'latin1');
const expected = ['1', '1234567890123456', '77', '5', 'end 200 true', 'end 503 true', 'end 402 false'];

function readIn(pieces: readonly Buffer[]): string[] {
  const seen: string[] = [];
  const feed = createReader({
    mark: (micros) => seen.push(String(micros)),
    end: (status, keepAlive) => seen.push(`end ${status} ${keepAlive}`),
  });
  for (const piece of pieces) feed(piece);
  return seen;
}

test('whole', () => assert.deepEqual(readIn([wire]), expected));

test('cut once at every byte', () => {
  for (let at = 0; at <= wire.length; at++)
    assert.deepEqual(readIn([wire.subarray(0, at), wire.subarray(at)]), expected, `cut at ${at}`);
});

test('byte by byte', () => assert.deepEqual(readIn([...wire].map((byte) => Buffer.of(byte))), expected));

test('an answer without a length is refused', () => {
  assert.throws(() => readIn([Buffer.from('HTTP/1.1 200 OK\r\n\r\n')]), /without a length/);
});
