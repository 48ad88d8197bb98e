// A folder of segments in memory, with the faults of a real disk: a write that fails, and a process that dies.

import type { SegmentFolder } from '../src/world/world.ts';

export interface SimFolder extends SegmentFolder {
  /** While true every write throws as a full disk does. */
  full: boolean;
  /** What a process that dies now leaves behind. */
  copy(): SimFolder;
}

export function createFolder(files: Map<string, Buffer> = new Map()): SimFolder {
  const folder: SimFolder = {
    full: false,
    copy: () => createFolder(new Map(files)),
    list: () => [...files.keys()].sort(),
    read: (name, bytes) => Buffer.from((files.get(name) ?? Buffer.alloc(0)).subarray(0, bytes)),
    remove: (name) => void files.delete(name),
    open(name) {
      if (!files.has(name)) files.set(name, Buffer.alloc(0));
      return {
        name,
        get size() {
          return files.get(name)?.length ?? 0;
        },
        write(bytes) {
          if (folder.full) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
          files.set(name, Buffer.concat([files.get(name) ?? Buffer.alloc(0), bytes]));
        },
        sync: async () => undefined,
        close: () => undefined,
      };
    },
    truncate(name, size) {
      files.set(name, Buffer.from((files.get(name) ?? Buffer.alloc(0)).subarray(0, size)));
    },
  };
  return folder;
}
