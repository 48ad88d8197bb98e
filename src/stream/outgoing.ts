// Gathers what leaves for one chunk that came, so that it leaves in one write.

import type { Frame } from '../exchange/frame.ts';

type Bytes = Uint8Array | string;

/** Larger frames leave as the bytes that they are. */
const textBytesMax = 16_384;

export class Outgoing {
  readonly #send: (bytes: Bytes, latin1: string | undefined) => void;
  #first: Bytes | undefined;
  /** The first piece, one character a byte, where it is a frame as it came. */
  #latin1: string | undefined;
  #more: Bytes[] | undefined;

  /** `latin1`, where it is given, says the same as the bytes: one character each. */
  constructor(send: (bytes: Bytes, latin1: string | undefined) => void) {
    this.#send = send;
  }

  /** `passing`: the frame whose own bytes these are. Neighbours that are views of the same chunk leave as one view, uncopied. */
  add(bytes: Bytes, passing: Frame | undefined): void {
    const first = this.#first;
    if (first === undefined) {
      this.#first = bytes;
      this.#latin1 = passing && passing.bytes.length <= textBytesMax ? passing.latin1 : undefined;
      return;
    }
    this.#latin1 = undefined;
    const more = this.#more ?? [];
    const whole = passing && joinedView(more.at(-1) ?? first, bytes);
    if (!whole) more.push(bytes);
    else if (more.length > 0) more[more.length - 1] = whole;
    else this.#first = whole;
    this.#more = more;
  }

  flush(): void {
    const first = this.#first;
    if (first === undefined) return;
    const bytes = this.#more && this.#more.length > 0 ? joined([first, ...this.#more]) : first;
    this.#first = undefined;
    this.#more = undefined;
    this.#send(bytes, this.#latin1);
  }
}

function joinedView(one: Bytes, next: Bytes): Uint8Array | undefined {
  if (!(one instanceof Uint8Array) || !(next instanceof Uint8Array)) return undefined;
  if (one.buffer !== next.buffer || one.byteOffset + one.length !== next.byteOffset) return undefined;
  return Buffer.from(one.buffer, one.byteOffset, one.length + next.length);
}

export function joined(pieces: readonly Bytes[]): Bytes {
  const [first] = pieces;
  if (pieces.length === 1 && first !== undefined) return first;
  if (pieces.every((piece) => typeof piece === 'string')) return pieces.join('');
  return Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
}
