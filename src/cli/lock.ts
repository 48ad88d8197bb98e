// One owner of a data folder at a time: the gateway, or a command with --offline.

import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Takes the lock or returns undefined where somebody has it. An operating system's lock, by way of SQLite, since Node
 * has none of its own: it dies with the process, where a file with a process id would outlive a crash and, in
 * containers, name a stranger. Throws what the file system says.
 */
export function takeLock(dataFolder: string): (() => void) | undefined {
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(join(dataFolder, 'lock'));
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return () => database.close();
  } catch (error) {
    database.close();
    if (isTaken(error)) return undefined;
    throw error;
  }
}

/** Whether somebody has the lock; looks without taking it, and makes nothing. False where it cannot be read. */
export function isInUse(dataFolder: string): boolean {
  const file = join(dataFolder, 'lock');
  if (!existsSync(file)) return false;
  try {
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      database.exec('SELECT 1 FROM sqlite_master');
      return false;
    } finally {
      database.close();
    }
  } catch (error) {
    return isTaken(error);
  }
}

function isTaken(error: unknown): boolean {
  return /locked|busy/i.test(error instanceof Error ? error.message : '');
}
