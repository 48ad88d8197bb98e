// The lock of a data folder, with the line that an operator reads where it cannot be written.

import { takeLock } from '../cli/lock.ts';
import { unwritable } from '../world/real/data-folder.ts';

/** The first file that is opened for writing: here it shows that a folder which exists is read-only. */
export function lock(path: string): (() => void) | undefined {
  try {
    return takeLock(path);
  } catch (error) {
    throw unwritable(path, error);
  }
}
