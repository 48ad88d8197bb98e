// Makes request ids: UUIDv7, so that they sort by time and the ledger's key never depends on anyone else.

import { Buffer } from 'node:buffer';
import type { Clock, Random } from '../world/world.ts';

/** Random bytes are drawn and written in hex for many ids at once: each is a call out of JavaScript, a slice is not. */
const idsPerDraw = 256;

export function createIds(clock: Clock, random: Random): () => string {
  let pool = '';
  let at = 0;
  return () => {
    if (at >= pool.length) {
      pool = Buffer.from(random.bytes(10 * idsPerDraw)).toString('hex');
      at = 0;
    }
    const time = clock.now().toString(16).padStart(12, '0');
    const chance = pool.slice(at, at + 20);
    const variant = '89ab'[Number.parseInt(chance[3] ?? '0', 16) % 4];
    at += 20;
    return `${time.slice(0, 8)}-${time.slice(8)}-7${chance.slice(0, 3)}-${variant}${chance.slice(4, 7)}-${chance.slice(7, 19)}`;
  };
}
