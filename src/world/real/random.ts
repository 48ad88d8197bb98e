// The operating system's randomness.

import { randomBytes } from 'node:crypto';
import type { Random } from '../world.ts';

export const realRandom: Random = {
  bytes: (length) => randomBytes(length),
  fraction: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
};
