// Streamed thoughts as entries of `reasoning_details`. Some clients join the pieces of a block, others (the official SDK)
// keep the last entry alone: the one that closes a block therefore repeats every block so far, whole.

import type { Signature } from '../../exchange/prompt.ts';
import { encodeDetail, type Repeated } from './signatures.ts';

/** Characters repeated in one answer, and so kept; the longest thoughts known are half of it. */
const repeatedMax = 2 ** 20;
/** What an entry has besides its text and its proof. */
const entryCharacters = 128;
/** Pieces joined at a time: alone each would hold the text it was cut from. */
const piecesMax = 64;

export class StreamedThoughts {
  #index = 0;
  #blocks: Record<string, unknown>[] = [];
  /** Characters in `#blocks`. */
  #size = 0;
  #left = repeatedMax;
  #text = '';
  #pieces: string[] = [];
  /** Characters of the open block, kept or not. */
  #characters = 0;

  /** A piece of the open block. */
  words(text: string): Record<string, unknown> {
    this.#characters += text.length;
    if (this.#size + this.#characters > this.#left) this.#forget();
    else if (this.#pieces.push(text) === piecesMax) this.#join();
    return { type: 'reasoning.text', text, index: this.#index };
  }

  /** Closes the open block; a redacted proof is a block of its own. */
  proof(signature: Signature, redacted: boolean): Record<string, unknown> {
    if (redacted && this.#characters > 0) this.#close(undefined, false);
    const { text: _words, ...entry } = encodeDetail('', signature, redacted, this.#index);
    return { ...entry, tollgate: this.#close(signature, redacted) };
  }

  #close(signature: Signature | undefined, redacted: boolean): Repeated {
    this.#join();
    const characters = this.#characters;
    this.#size += entryCharacters + characters + (signature?.value.length ?? 0);
    if (this.#size > this.#left) this.#forget();
    const kept = this.#left > 0;
    if (kept) this.#blocks.push(encodeDetail(this.#text, signature, redacted, this.#index));
    if (signature) this.#left -= this.#size;
    this.#index++;
    this.#text = '';
    this.#characters = 0;
    return kept ? { blocks: this.#blocks } : { characters };
  }

  #join(): void {
    this.#text += this.#pieces.join('');
    this.#pieces = [];
  }

  #forget(): void {
    this.#left = 0;
    this.#blocks = [];
    this.#text = '';
    this.#pieces = [];
  }
}
