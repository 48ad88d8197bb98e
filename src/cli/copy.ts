// The copying itself of a backup: the store by SQLite's own means, the journal by whole rows, everything checksummed.

import { createHash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { CommandError } from './command.ts';

export interface Manifest {
  readonly tollgate: string;
  /** ISO instant at which it was made. */
  readonly at: string;
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[];
}

const manifestName = 'backup.json';
/** What the store is called in a backup, wherever it lives. */
export const storeName = 'tollgate.db';

/** Pepper, tokens, the instance's name: small files of the data folder. Not the lock, nor the store and what SQLite keeps beside it. */
const secretBytesMax = 65_536;

const segmentName = /^\d{12}\.journal$/;
const restorable = /^((workers\/[1-9]\d?\/)?journal\/\d{12}\.journal|[\w-][\w.-]*)$/;

export function copySecrets(dataFolder: string, into: string, storeFile: string | undefined): string[] {
  const copied: string[] = [];
  for (const entry of readdirSync(dataFolder, { withFileTypes: true })) {
    const path = join(dataFolder, entry.name);
    if (!entry.isFile() || entry.name === 'lock' || /^lock-|\.db(-\w+)?$/.test(entry.name) || path === storeFile)
      continue;
    if (!restorable.test(entry.name) || statSync(path).size > secretBytesMax) continue;
    copy(path, join(into, entry.name));
    copied.push(entry.name);
  }
  return copied;
}

/** One snapshot, in one step: writers go on in the log beside it. */
export async function copyStore(storeFile: string, into: string): Promise<string> {
  const path = join(into, storeName);
  const database = new DatabaseSync(storeFile, { readOnly: true });
  try {
    await backup(database, path, { rate: 2 ** 31 - 1 });
  } finally {
    database.close();
  }
  sync(path);
  return storeName;
}

/**
 * Oldest first, so that what is copied is a beginning of the journal whatever is appended meanwhile; the last file up to
 * its last whole row. Files that a running gateway removes at this moment are missing from the copy, as they are there.
 */
export function copyJournal(dataFolder: string, journal: string, into: string): string[] {
  const journalFolder = join(dataFolder, journal);
  mkdirSync(join(into, journal), { recursive: true, mode: 0o700 });
  const names = readdirSync(journalFolder)
    .filter((name) => segmentName.test(name))
    .sort();
  const copied: string[] = [];
  for (const name of names) {
    const path = join(into, journal, name);
    try {
      copy(join(journalFolder, name), path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && copied.length === 0) continue;
      throw error;
    }
    if (name === names.at(-1)) truncateSync(path, readFileSync(path).lastIndexOf(10) + 1);
    copied.push(join(journal, name));
  }
  return copied;
}

export function writeManifest(folder: string, version: string, names: readonly string[]): Manifest {
  const files = names.map((name) => ({ name, ...fingerprint(join(folder, name)) }));
  const manifest: Manifest = { tollgate: version, at: new Date().toISOString(), files };
  writeFileSync(join(folder, manifestName), `${JSON.stringify(manifest, undefined, 2)}\n`, { mode: 0o600 });
  sync(join(folder, manifestName));
  return manifest;
}

/** Throws `CommandError` where it is no backup, or one whose files are not what they were. */
export function readManifest(folder: string): Manifest {
  let manifest: Manifest;
  try {
    manifest = JSON.parse(readFileSync(join(folder, manifestName), 'utf8')) as Manifest;
  } catch {
    throw new CommandError(`${folder} is no backup: it has no ${manifestName} that can be read`);
  }
  for (const { name, bytes, sha256 } of manifest.files) {
    if (!restorable.test(name)) throw new CommandError(`${folder} names a file that no backup has: ${name}`);
    let found: ReturnType<typeof fingerprint>;
    try {
      found = fingerprint(join(folder, name));
    } catch {
      throw new CommandError(`${folder} lacks ${name}`);
    }
    if (found.bytes !== bytes || found.sha256 !== sha256)
      throw new CommandError(`${name} in ${folder} is not what was backed up: its checksum differs`);
  }
  return manifest;
}

export function copy(from: string, to: string): void {
  copyFileSync(from, to);
  sync(to);
}

/** On the disk, readable by its owner alone. */
function sync(path: string): void {
  const descriptor = openSync(path, 'r+');
  try {
    fchmodSync(descriptor, 0o600);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function fingerprint(path: string): { bytes: number; sha256: string } {
  const bytes = readFileSync(path);
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
