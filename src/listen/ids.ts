// Makes request ids: UUIDv7, so that they sort by time and the ledger's key never depends on anyone else.

import { Buffer } from 'node:buffer';
import type { Clock, Random } from '../world/world.ts';

/** Random bytes are drawn for many ids at once: a draw is a system call, a slice is not. */
const idsPerDraw = 256;

export function createIds(clock: Clock, random: Random): () => string {
  let pool = Buffer.alloc(0);
  let at = 0;
  return () => {
    if (at >= pool.length) {
      pool = Buffer.from(random.bytes(10 * idsPerDraw));
      at = 0;
    }
    const time = clock.now().toString(16).padStart(12, '0');
    const chance = pool.toString('hex', at, at + 10);
    const variant = '89ab'[Number.parseInt(chance[3] ?? '0', 16) % 4];
    at += 10;
    return `${time.slice(0, 8)}-${time.slice(8)}-7${chance.slice(0, 3)}-${variant}${chance.slice(4, 7)}-${chance.slice(7, 19)}`;
  };
}
