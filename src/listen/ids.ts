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
    const chance = pool.slice(at, at + 20);
    const variant = '89ab'[Number.parseInt(chance[3] ?? '0', 16) % 4];
    at += 20;
    return `${time}${chance.slice(0, 3)}-${variant}${chance.slice(4, 7)}-${chance.slice(7, 19)}`;
  };
}
