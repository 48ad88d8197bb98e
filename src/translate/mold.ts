// An event that differs from one before it in a single string: learned from an event that was parsed, told without a
// parse. Whatever differs in anything else is not told, and is parsed.

import { Buffer } from 'node:buffer';
import { Frame } from '../exchange/frame.ts';
import { closingQuote, isObject, parse } from './json.ts';

/** What stands around the string, its quotes included. */
interface Mold {
  readonly before: string;
  readonly behind: string;
  /** OpenAI pads each event with `obfuscation` of another length: what closes the event behind the padding. */
  readonly closing: string | undefined;
}

/** Put in the string's place it proves that the place is the right one; an event that has it already teaches nothing. */
const mark = 'mark-of-the-mold';
const padding = '"obfuscation":"';
/** In a JSON string these are escapes, or a mistake. */
const special = /\\|\p{Cc}/u;
/** Learning costs three parses. So many are free; more are paid for by the events that were told. */
const freeLessons = 6;

/** One a stream. */
export class Molded<Kind> {
  #mold: Mold | undefined;
  #kind: Kind | undefined;
  #left = freeLessons;

  /** What else the event that was learned from said, and so does each that is told by it. */
  get kind(): Kind | undefined {
    return this.#kind;
  }

  /** The string of an event that is like the one learned from; undefined for any other. */
  tell(frame: Frame): string | undefined {
    const words = this.#mold && wordsIn(frame.bytes.toString('utf8'), this.#mold);
    if (words === undefined) return undefined;
    frame.foundWords(words);
    if (this.#left < freeLessons) this.#left += 0.25;
    return words;
  }

  /** An event was parsed: what was learned before may no longer hold. */
  forget(): void {
    this.#mold = undefined;
    this.#kind = undefined;
  }

  /**
   * Learns from an event whose meaning is `kind` and one string: the one that `at` finds in its body, under a key that is
   * written `"key"`.
   */
  learn(frame: Frame, key: string, at: (body: unknown) => unknown, kind: Kind): void {
    if (this.#left < 1) return;
    this.#left--;
    this.#mold = moldOf(frame, key, at);
    this.#kind = this.#mold && kind;
  }
}

/**
 * A string cannot change what stands around it, so that an event with the same surroundings has the same body but for
 * the string. That this is the string in question, and not one that looks like it, a parse proves.
 */
function moldOf(frame: Frame, key: string, at: (body: unknown) => unknown): Mold | undefined {
  const whole = frame.bytes.toString('utf8');
  if (whole.includes(mark)) return undefined;
  for (let found = whole.indexOf(key); found >= 0; found = whole.indexOf(key, found + 1)) {
    const quote = openingQuote(whole, found + key.length);
    if (quote < 0) continue;
    const before = whole.slice(0, quote + 1);
    const behind = whole.slice(insideEnd(whole, quote + 1));
    if (at(bodyOf(before + mark + behind)) !== mark) continue;
    return padded(before, behind, at) ?? { before, behind, closing: undefined };
  }
  return undefined;
}

function padded(before: string, behind: string, at: (body: unknown) => unknown): Mold | undefined {
  const found = behind.indexOf(padding);
  if (found < 0) return undefined;
  const from = found + padding.length;
  const closing = behind.slice(insideEnd(behind, from));
  const body = bodyOf(before + mark + behind.slice(0, from) + mark + closing);
  if (at(body) !== mark || !isObject(body) || body.obfuscation !== mark) return undefined;
  return { before, behind: behind.slice(0, from), closing };
}

function bodyOf(event: string): unknown {
  return parse(new Frame(Buffer.from(event)).data);
}

/** Where the string behind a key opens, or -1. */
function openingQuote(text: string, from: number): number {
  const colon = blanksEnd(text, from);
  if (text.charCodeAt(colon) !== 0x3a) return -1;
  const quote = blanksEnd(text, colon + 1);
  return text.charCodeAt(quote) === 0x22 ? quote : -1;
}

function blanksEnd(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === 0x20) at++;
  return at;
}

/** The quote that closes the string whose first character is at `from`; the text's length where none does. */
function insideEnd(text: string, from: number): number {
  const end = closingQuote(text, from - 1);
  return end < 0 ? text.length : end;
}

/** Slices are compared, not `startsWith`, which takes five times as long. */
function wordsIn(whole: string, { before, behind, closing }: Mold): string | undefined {
  if (whole.slice(0, before.length) !== before) return undefined;
  const end = insideEnd(whole, before.length);
  if (closing === undefined) {
    if (whole.slice(end) !== behind) return undefined;
  } else {
    const pad = end + behind.length;
    const close = insideEnd(whole, pad);
    if (whole.slice(end, pad) !== behind || whole.slice(close) !== closing) return undefined;
    if (special.test(whole.slice(pad, close))) return undefined;
  }
  const words = whole.slice(before.length, end);
  if (!special.test(words)) return words;
  const read = parse(`"${words}"`);
  return typeof read === 'string' ? read : undefined;
}
