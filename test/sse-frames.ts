// Cuts a stream's text into whole events, blank line included, for tests of codecs.

import { Frame } from '../src/exchange/frame.ts';

/** Frames of an event stream with LF, CR or CRLF line ends; what is left without a blank line is a last frame. */
export function framesOf(stream: string): Frame[] {
  const pieces = stream.match(/[\s\S]*?(?:\r\n\r\n|\n\n|\r\r)(?:\r\n|\n|\r)*|[\s\S]+$/g) ?? [];
  return pieces.filter((piece) => piece !== '').map((piece) => new Frame(Buffer.from(piece, 'utf8')));
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
