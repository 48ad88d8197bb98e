// What the tests of a gateway's life share: requests, commands, waiting for a line of the log, reading the journal.

import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { scanRows, segmentNames } from '../../src/exchange/journal.ts';
import type { JournalRow, Receipt } from '../../src/exchange/receipt.ts';
import type { GatewayProcess } from '../gateway.ts';

const starter = resolve(import.meta.dirname, '..', '..', 'bin', 'tollgate.js');

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `tollgate ARGUMENTS` to its end. */
export function tollgate(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  folder?: string,
): Promise<Finished> {
  const child = spawn(process.execPath, [starter, ...args], {
    ...(folder === undefined ? {} : { cwd: folder }),
    env: { PATH: process.env.PATH ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString('utf8');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString('utf8');
  });
  return new Promise((settle) => child.on('close', (code) => settle({ code, out, err })));
}

export interface Ask {
  readonly model: string;
  readonly stream?: boolean;
  readonly [field: string]: unknown;
}

export function chat(
  gateway: Pick<GatewayProcess, 'url' | 'key'>,
  ask: Ask,
  headers: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }], ...ask }),
    ...(signal ? { signal } : {}),
  });
}

/** The answer of the control plane; throws where it is no 200. */
export async function admin<Answer>(gateway: GatewayProcess, path: string): Promise<Answer> {
  const response = await fetch(gateway.url + path, { headers: { authorization: `Bearer ${gateway.adminToken}` } });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Answer;
}

export interface Logged {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** The first line of the log that is `event` and comes after `from` characters; rejects where the process ends before. */
export function logged(gateway: GatewayProcess, event: string, from = 0): Promise<Logged> {
  return new Promise((settle, fail) => {
    const look = (): void => {
      const lines = gateway.log().slice(from).split('\n').slice(0, -1);
      const found = lines.find((line) => line.includes(`"event":"${event}"`));
      if (found === undefined) return;
      gateway.process.stderr?.off('data', look);
      settle(JSON.parse(found) as Logged);
    };
    gateway.process.stderr?.on('data', look);
    gateway.process.once('exit', () => fail(new Error(`ended without ${event}:\n${gateway.log()}`)));
    look();
  });
}

/** Resolves with what was read once `text` was seen, and leaves the rest of the stream to be read. */
export async function readUntil(reader: ReadableStreamDefaultReader<Uint8Array>, text: string): Promise<string> {
  const decoder = new TextDecoder();
  let read = '';
  while (!read.includes(text)) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`the stream ended before ${text}: ${read}`);
    read += decoder.decode(value, { stream: true });
  }
  return read;
}

export function readerOf(response: Response): ReadableStreamDefaultReader<Uint8Array> {
  if (response.body === null) throw new Error('an answer without a body');
  return response.body.getReader();
}

export interface JournalReader {
  /** Visits the whole rows that were written since the last call, and returns the bytes of damage between them. */
  next(visit: (row: JournalRow) => void): number;
}

export function readJournal(dataFolder: string): JournalReader {
  const folder = join(dataFolder, 'journal');
  const read = new Map<string, number>();
  return {
    next(visit) {
      let damagedBytes = 0;
      for (const name of segmentNames(readdirSync(folder))) {
        const scan = scanRows(readFileSync(join(folder, name)), read.get(name) ?? 0, visit);
        read.set(name, scan.end);
        damagedBytes += scan.damagedBytes;
      }
      return damagedBytes;
    },
  };
}

export function receiptsOf(dataFolder: string): Receipt[] {
  const receipts: Receipt[] = [];
  readJournal(dataFolder).next((row) => {
    if (row.type === 'receipt') receipts.push(row.receipt);
  });
  return receipts;
}
