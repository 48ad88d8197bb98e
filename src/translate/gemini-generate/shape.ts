// What stands around the one text of a stream's plain frames, learned from one: the next differ in text and in counts.

import { closingQuote } from '../json.ts';

export const textKey = '"text":';
export const usageKey = '"usageMetadata":';

export interface Shape {
  /** Up to the text's opening quote, that included. */
  readonly before: string;
  /** From the text's closing quote to the usage. */
  readonly behind: string;
  /** The usage between its digits. */
  readonly usage: readonly string[];
  readonly rest: string;
}

/** Where the text and the usage of a frame lie, in bytes. Reused from frame to frame. */
export interface Places {
  textFrom: number;
  textTo: number;
  usageFrom: number;
  usageTo: number;
}

/** The shape of a plain frame with one text; undefined where it has none or several, or the usage stands before it. */
export function shapeOf(latin: string, usageFrom: number, usageTo: number): Shape | undefined {
  const key = latin.indexOf(textKey);
  if (key < 0) return undefined;
  let from = key + textKey.length;
  while (latin.charCodeAt(from) === 0x20) from++;
  if (latin.charCodeAt(from) !== 0x22) return undefined;
  const to = closingQuote(latin, from);
  if (to < 0 || latin.indexOf(textKey, to) >= 0 || (usageFrom > 0 && usageFrom < to)) return undefined;
  const counted = usageFrom > 0 ? usageFrom : latin.length;
  return {
    before: latin.slice(0, from + 1),
    behind: latin.slice(to, counted),
    usage: usageFrom > 0 ? latin.slice(usageFrom, usageTo).split(/\d+/) : [],
    rest: usageFrom > 0 ? latin.slice(usageTo) : '',
  };
}

/** Whether a frame has this shape; then its places are in `places`. */
export function fits(latin: string, shape: Shape, places: Places): boolean {
  const { before, behind, usage, rest } = shape;
  if (latin.slice(0, before.length) !== before) return false;
  const to = closingQuote(latin, before.length - 1);
  if (to < 0) return false;
  const usageFrom = to + behind.length;
  const usageTo = latin.length - rest.length;
  if (latin.slice(to, usageFrom) !== behind || latin.slice(usageTo) !== rest) return false;
  places.textFrom = before.length;
  places.textTo = to;
  places.usageFrom = usageFrom;
  places.usageTo = usageTo;
  return sameButDigits(latin, usageFrom, usageTo, usage);
}

/** The same keys in the same order, with other counts. Piece by piece: half the time of a walk over the characters. */
function sameButDigits(latin: string, from: number, to: number, pieces: readonly string[]): boolean {
  let at = from;
  for (const piece of pieces) {
    while (isDigit(latin.charCodeAt(at))) at++;
    if (latin.slice(at, at + piece.length) !== piece) return false;
    at += piece.length;
  }
  return at === to;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
