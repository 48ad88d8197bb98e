// Reads HTTP/1.1 answers off a raw socket, however they are cut, and picks out the time marks: the client side of the load.
// By hand rather than node:http, because the generator shares two cores with what it measures (about 4 µs a chunk against 20).

import { markByte, markLength } from './mark.ts';

export interface ReaderSink {
  /** A chunk's time mark, in microseconds. */
  mark(micros: number): void;
  end(status: number, keepAlive: boolean): void;
}

type Stage = 'head' | 'length' | 'size' | 'data' | 'gap' | 'trailer';

export function createReader(sink: ReaderSink): (bytes: Buffer) => void {
  let stage: Stage = 'head';
  let held = '';
  let partialMark = '';
  let left = 0;
  let lineBytes = 0;
  let status = 0;
  let keepAlive = true;

  function finish(): void {
    stage = 'head';
    held = '';
    partialMark = '';
    sink.end(status, keepAlive);
  }

  function readHead(bytes: Buffer, from: number): number {
    const before = held.length;
    held += bytes.toString('latin1', from, bytes.length);
    const end = held.indexOf('\r\n\r\n');
    if (end < 0) return bytes.length;
    const head = held.slice(0, end).toLowerCase();
    held = '';
    status = Number(head.slice(9, 12));
    keepAlive = !head.includes('\r\nconnection: close');
    const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1];
    left = Number(length ?? 0);
    if (length !== undefined) stage = 'length';
    else if (/\r\ntransfer-encoding: *chunked/.test(head)) stage = 'size';
    else throw new Error(`an answer without a length: ${head.slice(0, 200)}`);
    if (stage === 'length' && left === 0) finish();
    return from + end + 4 - before;
  }

  function readSize(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length) {
      const byte = bytes[at++] ?? 0;
      if (byte === 0x0a) {
        stage = left > 0 ? 'data' : 'trailer';
        lineBytes = 0;
        return at;
      }
      if (byte !== 0x0d) left = left * 16 + Number.parseInt(String.fromCharCode(byte), 16);
    }
    return at;
  }

  function readTrailer(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length) {
      const byte = bytes[at++];
      if (byte === 0x0a) {
        if (lineBytes === 0) {
          finish();
          return at;
        }
        lineBytes = 0;
      } else if (byte !== 0x0d) lineBytes++;
    }
    return at;
  }

  function readBody(bytes: Buffer, from: number): number {
    const to = Math.min(bytes.length, from + left);
    left -= to - from;
    scan(bytes, from, to);
    if (left > 0) return to;
    if (stage === 'length') finish();
    else {
      stage = 'gap';
      left = 2;
    }
    return to;
  }

  function scan(bytes: Buffer, from: number, to: number): void {
    let at = from;
    if (partialMark !== '') {
      at = Math.min(to, from + markLength - partialMark.length);
      partialMark += bytes.toString('latin1', from, at);
      if (partialMark.length < markLength) return;
      sink.mark(Number(partialMark.slice(1, -1)));
      partialMark = '';
    }
    for (;;) {
      const found = bytes.indexOf(markByte, at);
      if (found < 0 || found >= to) return;
      at = found + markLength;
      if (at > to) {
        partialMark = bytes.toString('latin1', found, to);
        return;
      }
      sink.mark(Number(bytes.toString('latin1', found + 1, at - 1)));
    }
  }

  function step(bytes: Buffer, at: number): number {
    if (stage === 'head') return readHead(bytes, at);
    if (stage === 'size') return readSize(bytes, at);
    if (stage === 'trailer') return readTrailer(bytes, at);
    if (stage === 'gap') {
      const skipped = Math.min(left, bytes.length - at);
      left -= skipped;
      if (left === 0) stage = 'size';
      return at + skipped;
    }
    return readBody(bytes, at);
  }

  return (bytes) => {
    let at = 0;
    while (at < bytes.length) at = step(bytes, at);
  };
}
