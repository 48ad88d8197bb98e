// Cuts a byte stream into whole server-sent events by the WHATWG rules (LF, CR, CRLF), without decoding or copying them.

import { Buffer } from 'node:buffer';
import { Frame } from '../exchange/frame.ts';

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Most events come alone, in a chunk each: such a chunk is read as text once, for everybody. */
const wholeBytesMax = 4096;

export interface FrameReader {
  /** Whole events of this chunk, in order; undefined once an event outgrew the bound (the stream is unreadable). */
  push(chunk: Buffer): Frame[] | undefined;
  /** What is left at the end of the body: an event that was never closed, or undefined. */
  rest(): Frame | undefined;
}

/**
 * An event ends with a blank line. The events of a chunk are views into it: only one that spans chunks is copied, once,
 * when it is whole (joining at each chunk would be quadratic for a slow, large event).
 */
export function createFrameReader(eventBytes: number): FrameReader {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  /** The last byte ended a line, so one more line end closes the event. True at the start: leading blanks are an event of nothing. */
  let lineStart = false;
  let lastWasReturn = false;

  /** One past the blank line that closes the event, or -1. `returns` says whether the chunk holds a CR at all. */
  function eventEnd(chunk: Buffer, from: number, returns: boolean): number {
    let at = from;
    while (at < chunk.length) {
      const byte = chunk[at];
      if (lastWasReturn && byte === lineFeed) {
        // The second half of a CRLF: not a line of its own.
        lastWasReturn = false;
        at++;
        continue;
      }
      lastWasReturn = byte === carriageReturn;
      if (byte === lineFeed || byte === carriageReturn) {
        if (lineStart) {
          lineStart = false;
          // CRLF: the LF belongs to this blank line when it is already here; if it comes later it is skipped above.
          if (byte === carriageReturn && chunk[at + 1] === lineFeed) {
            lastWasReturn = false;
            return at + 2;
          }
          return at + 1;
        }
        lineStart = true;
        at++;
        continue;
      }
      lineStart = false;
      at = lineEnd(chunk, at, returns);
    }
    return -1;
  }

  return {
    push(chunk) {
      if (pendingBytes === 0 && !lastWasReturn && chunk.length <= wholeBytesMax) {
        const text = chunk.toString('latin1');
        if (isOneEvent(text)) return [new Frame(chunk, text)];
      }
      const frames: Frame[] = [];
      const returns = chunk.includes(carriageReturn);
      let from = 0;
      for (;;) {
        const to = eventEnd(chunk, from, returns);
        if (to < 0) break;
        const tail = chunk.subarray(from, to);
        if (pendingBytes === 0) frames.push(new Frame(tail));
        else {
          pending.push(tail);
          frames.push(new Frame(Buffer.concat(pending, pendingBytes + tail.length)));
          pending = [];
          pendingBytes = 0;
        }
        from = to;
      }
      if (from < chunk.length) {
        const left = chunk.subarray(from);
        pending.push(unpinned(left));
        pendingBytes += left.length;
        if (pendingBytes > eventBytes) return undefined;
      }
      return frames;
    },
    rest() {
      if (pendingBytes === 0) return undefined;
      const bytes = Buffer.concat(pending, pendingBytes);
      pending = [];
      pendingBytes = 0;
      return new Frame(bytes);
    },
  };
}

/** Bytes that are kept until a provider goes on: a view of a few would keep all of the buffer below it alive for as long. */
export function unpinned(bytes: Buffer): Buffer {
  if (bytes.length * 4 >= bytes.buffer.byteLength) return bytes;
  const own = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(own);
  return own;
}

/** Whether these are the lines of one event and nothing else. A CR leaves it open. */
function isOneEvent(text: string): boolean {
  const last = text.length - 2;
  if (text.charCodeAt(last) !== lineFeed || text.charCodeAt(last + 1) !== lineFeed) return false;
  let feed = text.indexOf('\n');
  while (text.charCodeAt(feed + 1) !== lineFeed) feed = text.indexOf('\n', feed + 1);
  return feed === last && !text.includes('\r');
}

/** The first line end at or after `at`. Native search: four times faster than a byte loop on chunks of 150 bytes. */
function lineEnd(chunk: Buffer, at: number, returns: boolean): number {
  const feed = chunk.indexOf(lineFeed, at);
  if (!returns) return feed < 0 ? chunk.length : feed;
  const back = chunk.indexOf(carriageReturn, at);
  if (feed < 0) return back < 0 ? chunk.length : back;
  return back < 0 ? feed : Math.min(feed, back);
}
