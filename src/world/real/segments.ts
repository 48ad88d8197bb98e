// Journal segments in a real folder: synchronous appends that are whole or not there at all.

import {
  closeSync,
  existsSync,
  fdatasync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { AppendFile, SegmentFolder } from '../world.ts';

const dataSync = promisify(fdatasync);

/** Makes the folder where it is missing. Throws what the file system says. */
export function openSegments(folder: string): SegmentFolder {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return {
    list: () => readdirSync(folder).sort(),
    read: (name, bytes) =>
      bytes === undefined ? readFileSync(join(folder, name)) : readHead(join(folder, name), bytes),
    open: (name) => openAppend(folder, name),
    truncate: (name, size) => truncateSync(join(folder, name), size),
    remove: (name) => unlinkSync(join(folder, name)),
  };
}

function readHead(path: string, bytes: number): Buffer {
  const descriptor = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(bytes);
    return buffer.subarray(0, readSync(descriptor, buffer, 0, bytes, 0));
  } finally {
    closeSync(descriptor);
  }
}

/** The write call, replaceable so that a test can cut it short. */
export type Write = (descriptor: number, bytes: Uint8Array, from: number, length: number) => number;

export function openAppend(folder: string, name: string, write: Write = writeSync): AppendFile {
  const path = join(folder, name);
  const fresh = !existsSync(path);
  const descriptor = openSync(path, 'a', 0o600);
  if (fresh) syncFolder(folder);
  let size = fstatSync(descriptor).size;
  // Set while bytes of a failed write may stand behind `size`: they go before anything else is written.
  let ragged = false;
  return {
    name,
    get size() {
      return size;
    },
    write(bytes) {
      if (ragged) {
        ftruncateSync(descriptor, size);
        ragged = false;
      }
      try {
        for (let done = 0; done < bytes.length; ) {
          const count = write(descriptor, bytes, done, bytes.length - done);
          if (count <= 0) throw new Error('the file system took no bytes');
          done += count;
        }
      } catch (error) {
        ragged = true;
        try {
          ftruncateSync(descriptor, size);
          ragged = false;
        } catch {
          // Tried again before the next write.
        }
        throw error;
      }
      size += bytes.length;
    },
    sync: () => dataSync(descriptor),
    close: () => closeSync(descriptor),
  };
}

/** The name of a new file survives power loss only once its folder is synced; once for each 64 MB. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
