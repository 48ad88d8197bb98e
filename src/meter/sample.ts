// A body's mix from a sample of it, so that a prompt of 10 MB costs little more time than one of 2 KB.

import { addBytes, emptyMix, type Mix } from './mix.ts';

const windowBytes = 256;
const windows = 8;

export interface Sample {
  readonly mix: Mix;
  /** Bytes that were looked at; those of pictures and the like are not. */
  readonly bytes: number;
}

/** `media`: the body holds base64, which no tokenizer sees; a window without a blank or a quote is taken for it. */
export function sampleOf(body: Uint8Array, media: boolean): Sample {
  const mix = emptyMix();
  if (body.length <= windowBytes * windows && !media) {
    addBytes(mix, body, 0, body.length);
    return { mix, bytes: body.length };
  }
  let bytes = 0;
  const count = media ? windows * 4 : windows;
  const stride = Math.max(windowBytes, Math.floor(body.length / count));
  for (let from = 0; from < body.length; from += stride) {
    const to = Math.min(body.length, from + windowBytes);
    if (media && isDense(body, from, to)) continue;
    addBytes(mix, body, from, to);
    bytes += to - from;
  }
  return { mix, bytes };
}

function isDense(body: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const byte = body[at];
    if (byte === 0x20 || byte === 0x22) return false;
  }
  return true;
}
