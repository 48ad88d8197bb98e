// Reads the recorded provider traffic where it lies (`../shared`, or TOLLGATE_SHARED); says loudly when it is not there.

import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export interface Recording {
  readonly id: string;
  readonly provider: string;
  readonly api: string;
  readonly model: string;
  readonly fidelity: 'raw' | 'parsed' | 'normalized' | 'reframed';
  readonly request: {
    method: string;
    host: string;
    path: string;
    headers: Record<string, string>;
    body: unknown;
  } | null;
  readonly response: {
    status: number;
    headers: Record<string, string>;
    body?: unknown;
    sse_text?: string;
    body_text?: string;
    body_base64?: string;
    recorded_chunk_bytes?: number[];
  };
  readonly tags: readonly string[];
}

export interface IndexEntry {
  readonly id: string;
  readonly provider: string;
  readonly api: string;
  readonly path: string;
  readonly status: number;
  readonly tags: readonly string[];
}

const shared = resolve(process.env.TOLLGATE_SHARED ?? resolve(import.meta.dirname, '..', '..', 'shared'));
const index = resolve(shared, 'recordings', 'INDEX.json');

/** Where the recordings are, or undefined; the first caller in a process that finds none is told so on stderr. */
export const recordingsFolder: string | undefined = existsSync(index) ? resolve(shared, 'recordings') : undefined;

/** The reason to give when a test that needs recordings is skipped. */
export const recordingsAbsent = `no recorded provider traffic at ${shared} (set TOLLGATE_SHARED): the project's own fixtures still ran`;

if (!recordingsFolder) console.error(`\n!!! ${recordingsAbsent} !!!\n`);

/** What there is, unread; empty without recordings. */
export function recordingIndex(): readonly IndexEntry[] {
  return recordingsFolder ? (JSON.parse(readFileSync(index, 'utf8')) as IndexEntry[]) : [];
}

export function readRecording(entry: IndexEntry): Recording {
  return JSON.parse(readFileSync(resolve(shared, 'recordings', entry.path), 'utf8')) as Recording;
}

/** All recordings of an API whose index entry passes the filter, in the index's order. */
export function* recordings(api: string, accepts: (entry: IndexEntry) => boolean = () => true): Generator<Recording> {
  for (const entry of recordingIndex()) {
    if (entry.api === api && accepts(entry)) yield readRecording(entry);
  }
}
