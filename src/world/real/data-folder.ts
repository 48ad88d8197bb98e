// The folder that holds everything that lasts: made private, with its small secret files.

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** One line for the operator: what is wrong and what to do. */
export class StartError extends Error {}

export interface DataFolder {
  readonly path: string;
  file(name: string): string;
  /** Reads a secret, or makes it by `make` the first time; the file is readable by its owner alone. */
  secret(name: string, make: () => string): string;
  /** Who this installation is among several, made once; a copied folder must not keep it. */
  instance(): string;
  /** Writes a secret anew. */
  keep(name: string, value: string): void;
}

/** Throws `StartError` where the folder cannot be written. */
export function openDataFolder(path: string): DataFolder {
  try {
    makeFolder(resolve(path));
    makeFolder(resolve(path, 'journal'));
  } catch (error) {
    throw unwritable(path, error);
  }
  const file = (name: string): string => join(path, name);
  const keep = (name: string, value: string): void => writeFileSync(file(name), `${value}\n`, { mode: 0o600 });
  const secret = (name: string, make: () => string): string => {
    if (existsSync(file(name))) {
      const value = readFileSync(file(name), 'utf8').trim();
      if (value !== '') return value;
    }
    const value = make();
    keep(name, value);
    return value;
  };
  return { path, file, keep, secret, instance: () => secret('instance', () => `i${randomBytes(8).toString('hex')}`) };
}

/** What belongs to one process of several over the folder; all else they have in common. */
const ownNames: readonly string[] = ['journal', 'known.json', 'lock'];

/** Below it each process but the first has its journal; and each its lock. */
export const workersFolder = 'workers';

/** The folder as one of several processes has it. The first has the journal and the name of a process that is alone. */
export function workerFolder(folder: DataFolder, number: number): DataFolder {
  const own = join(folder.path, workersFolder, String(number));
  const first = number === 1;
  return {
    ...folder,
    file: (name) =>
      ownNames.includes(name) && !(first && name !== 'lock') ? join(own, name) : join(folder.path, name),
    instance: () => (first ? folder.instance() : `${folder.instance()}-${number}`),
  };
}

/** Numbers of the processes that have a journal below `workersFolder`, of now and of before. */
export function workerNumbers(path: string): number[] {
  const folder = join(path, workersFolder);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^[1-9]\d?$/.test(name) && existsSync(join(folder, name, 'journal')))
    .map(Number)
    .sort((one, other) => one - other);
}

export function newToken(prefix: string): string {
  return prefix + randomBytes(32).toString('base64url');
}

/** Node's own `recursive` never returns where a file system says of every new folder that its parent is missing (/proc). */
function makeFolder(path: string): void {
  const make = (): void => void mkdirSync(path, { mode: 0o700 });
  try {
    make();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error;
    makeFolder(dirname(path));
    make();
  }
}

export function unwritable(path: string, error: unknown): StartError {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason =
    {
      EROFS: 'the file system is read-only',
      EACCES: 'permission denied',
      EPERM: 'permission denied',
      ENOSPC: 'the disk is full',
      ENOTDIR: 'a part of its path is a file',
      EEXIST: 'a file has its name',
    }[code ?? ''] ?? message;
  return new StartError(
    `The data folder ${path} cannot be written: ${reason}. Set TOLLGATE_DATA to a folder that can.`,
  );
}
