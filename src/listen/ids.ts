// Makes request ids: UUIDv7, so that they sort by time and the ledger's key never depends on anyone else.

import { Buffer } from 'node:buffer';
import type { Clock, Random } from '../world/world.ts';

/** Random bytes are drawn and written in hex for many ids at once: each is a call out of JavaScript, a slice is not. */
const idsPerDraw = 256;

export function createIds(clock: Clock, random: Random): () => string {
  let pool = '';
  let at = 0;
  let moment = 0;
  let time = '';
  return () => {
    if (at >= pool.length) {
      pool = Buffer.from(random.bytes(10 * idsPerDraw)).toString('hex');
      at = 0;
    }
    const now = clock.now();
    if (now !== moment) {
      const hex = now.toString(16).padStart(12, '0');
      time = `${hex.slice(0, 8)}-${hex.slice(8)}-7`;
      moment = now;
    }
    const from = at;
    at += 20;
    const digit = pool.charCodeAt(from + 3);
    // The code of a figure ends in the figure's last bits, that of a letter one below them.
    const variant = '89ab'[(digit > 0x39 ? digit + 1 : digit) & 3];
    return `${time}${pool.slice(from, from + 3)}-${variant}${pool.slice(from + 4, from + 7)}-${pool.slice(from + 7, from + 19)}`;
  };
}
