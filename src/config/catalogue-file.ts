// The catalogue on disk: `catalogue.json` in the data folder, whole or not at all, with those before it beside it, so that
// what a charge says it was priced by can be looked up.

import { createHash } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Feed, FeedError, parseFeed } from './feed.ts';

export interface StoredCatalogue {
  readonly feed: Feed;
  /** SHA-256 of the feed's text as it is stored, hex; its first 12 digits are in the version of every charge. */
  readonly checksum: string;
  readonly appliedAt: number;
  /** A URL or file name. */
  readonly source: string;
  /** The operator confirmed prices that look like a slip. */
  readonly forced: boolean;
}

const fileName = 'catalogue.json';
const olderFolder = 'catalogues';

export function checksumOf(feed: Feed): string {
  return createHash('sha256').update(JSON.stringify(feed)).digest('hex');
}

/** The name that a charge stores for this feed. */
export function sourceName(checksum: string): string {
  return `genai-prices#${checksum.slice(0, 12)}`;
}

/** Throws what the file system says; then the one before stays. */
export function saveCatalogue(folder: string, stored: StoredCatalogue): void {
  const { feed, ...head } = stored;
  const text = `${JSON.stringify({ ...head, feed })}\n`;
  mkdirSync(join(folder, olderFolder), { recursive: true, mode: 0o700 });
  write(join(folder, olderFolder, `${stored.checksum.slice(0, 12)}.json`), text);
  write(join(folder, fileName), text);
}

/** Written beside, flushed, and renamed over: a crash leaves the old one or the new one. */
function write(file: string, text: string): void {
  const beside = `${file}.new`;
  const descriptor = openSync(beside, 'w', 0o600);
  try {
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(beside, file);
}

export interface ReadCatalogue {
  /** Undefined: what is packaged. */
  readonly stored: StoredCatalogue | undefined;
  /** Why `catalogue.json` itself could not be taken. */
  readonly problem?: string;
}

/** What should be in force: the file; if it is broken the newest whole one before it; if there is none, what is packaged. */
export function readCatalogue(folder: string): ReadCatalogue {
  let text: string;
  try {
    text = readFileSync(join(folder, fileName), 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { stored: undefined };
    return { stored: newestOlder(folder), problem: `it cannot be read: ${code ?? message}` };
  }
  try {
    return { stored: parseStored(text) };
  } catch (error) {
    return { stored: newestOlder(folder), problem: (error as Error).message };
  }
}

function newestOlder(folder: string): StoredCatalogue | undefined {
  const at = join(folder, olderFolder);
  let found: StoredCatalogue | undefined;
  for (const name of names(at)) {
    try {
      const stored = parseStored(readFileSync(join(at, name), 'utf8'));
      if (!found || stored.appliedAt > found.appliedAt) found = stored;
    } catch {
      // One broken file more changes nothing: the others are looked at, and the packaged prices stand behind them.
    }
  }
  return found;
}

/** The newest few by date: each is read and checked whole. */
function names(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => ({ name, at: statSync(join(folder, name)).mtimeMs }))
      .sort((left, right) => right.at - left.at)
      .slice(0, 5)
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

/** Throws `FeedError`. */
function parseStored(text: string): StoredCatalogue {
  let value: Partial<StoredCatalogue> | undefined;
  try {
    value = JSON.parse(text) as Partial<StoredCatalogue>;
  } catch {
    throw new FeedError(text.trim() === '' ? 'it is empty' : 'it is not JSON: cut off or edited');
  }
  const { checksum, appliedAt, source, forced, feed } = value ?? {};
  if (typeof checksum !== 'string' || typeof appliedAt !== 'number' || feed === undefined)
    throw new FeedError(
      'it is no catalogue of this gateway; tollgate catalog update --from FILE makes one of a price feed',
    );
  const read = parseFeed(JSON.stringify(feed), forced === true);
  if (checksumOf(read) !== checksum) throw new FeedError('its checksum does not fit its prices');
  return { feed: read, checksum, appliedAt, source: String(source ?? ''), forced: forced === true };
}
