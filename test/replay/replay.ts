// A provider that plays what real providers once answered: the recording is named by the model, `replay-ID`.

import { existsSync, globSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type Recording, readRecording, recordingIndex, recordingsAbsent, recordingsFolder } from '../recordings.ts';

/** One answer, in the pieces in which it is to be written. */
export interface Play {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly pieces: readonly Buffer[];
}

/** Finds plays by the model's name without its prefix. */
interface Source {
  readonly about: string;
  readonly ids: readonly string[];
  play(id: string, stream: boolean): Play | undefined;
}

export interface ReplayServer {
  readonly url: string;
  readonly about: string;
  /** Some ids that can be asked for. */
  readonly ids: readonly string[];
  close(): Promise<void>;
}

const prefix = 'replay-';
/** Headers that mean the same today as on the day of the recording; lengths, encodings and cookies do not. */
const safeHeader =
  /^(content-type|retry-after|retry-after-ms|x-should-retry|request-id|x-request-id|(x|anthropic)-ratelimit-.*)$/;
const fixtures = resolve(import.meta.dirname, '..', '..', 'fixtures');

/** Serves until it is closed. Port 0 takes a free one. */
export async function startReplay(port = 0, host = '127.0.0.1'): Promise<ReplayServer> {
  const source = recordingsFolder ? recorded() : ownCases();
  const server = createServer((request, response) => {
    answer(source, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((settle, fail) => server.once('error', fail).listen(port, host, settle));
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    about: source.about,
    ids: source.ids,
    close: () =>
      new Promise((settle) => {
        server.close(() => settle());
        server.closeAllConnections();
      }),
  };
}

async function answer(source: Source, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const asked = askedOf(request.url ?? '/', Buffer.concat(parts));
  const id = asked.model.startsWith(prefix) ? asked.model.slice(prefix.length) : undefined;
  const play = id === undefined ? undefined : source.play(id, asked.stream);
  if (play === undefined) {
    response.writeHead(404, { 'content-type': 'application/json' }).end(unknown(source, asked.model));
    return;
  }
  response.writeHead(play.status, play.headers);
  for (const piece of play.pieces) {
    if (response.destroyed) return;
    response.write(piece);
    // One turn of the event loop each: pieces must not leave as one.
    await setImmediate();
  }
  response.end();
}

/** The model stands in the path of a Gemini request and in the body of every other. */
function askedOf(url: string, bytes: Buffer): { model: string; stream: boolean } {
  const named = /\/models\/([^/?]+):(\w+)/.exec(url);
  if (named) return { model: decodeURIComponent(named[1] ?? ''), stream: named[2] === 'streamGenerateContent' };
  try {
    const body = JSON.parse(bytes.toString('utf8')) as { model?: unknown; stream?: unknown } | null;
    return { model: typeof body?.model === 'string' ? body.model : '', stream: body?.stream === true };
  } catch {
    return { model: '', stream: false };
  }
}

function unknown(source: Source, model: string): string {
  const message = [
    `Nothing is recorded as ${JSON.stringify(model.slice(0, 120))}. This server plays ${source.about}.`,
    `Ask for the model ${prefix}ID, in the body, or in the path for Gemini (/v1beta/models/${prefix}ID:generateContent).`,
    `Some ids: ${sampled(source.ids, 9).join(', ')}.`,
  ].join(' ');
  return JSON.stringify({ error: { message, type: 'not_found_error', code: 404, status: 'NOT_FOUND' } });
}

/** Evenly over the list, so that several providers are among them. */
export function sampled(ids: readonly string[], wanted: number): string[] {
  const step = Math.max(1, Math.floor(ids.length / wanted));
  return ids.filter((_, at) => at % step === 0).slice(0, wanted);
}

function recorded(): Source {
  const entries = new Map(recordingIndex().map((entry) => [entry.id, entry]));
  return {
    about: `${entries.size} recordings`,
    ids: [...entries.keys()],
    play(id) {
      const entry = entries.get(id);
      return entry && playOf(readRecording(entry));
    },
  };
}

/** What a recording answers. Undefined for one whose bytes were never published. */
export function playOf({ response }: Recording): Play | undefined {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers))
    if (safeHeader.test(name.toLowerCase())) headers[name.toLowerCase()] = String(value);
  const { status, sse_text: events, body_text: text, body_base64: binary, body } = response;
  if (events !== undefined) {
    headers['content-type'] ??= 'text/event-stream';
    return { status, headers, pieces: piecesOf(events, response.recorded_chunk_bytes) };
  }
  if (text !== undefined) return { status, headers, pieces: text === '' ? [] : [Buffer.from(text, 'utf8')] };
  if (binary !== undefined) return { status, headers, pieces: [Buffer.from(binary, 'base64')] };
  if (body === undefined) return undefined;
  headers['content-type'] ??= 'application/json';
  return { status, headers, pieces: [Buffer.from(JSON.stringify(body), 'utf8')] };
}

/** As the network once delivered it, or else one event a piece. */
function piecesOf(events: string, sizes?: readonly number[]): Buffer[] {
  if (!sizes) return events.split(/(?<=\r?\n\r?\n)/).map((event) => Buffer.from(event, 'utf8'));
  const bytes = Buffer.from(events, 'utf8');
  const pieces: Buffer[] = [];
  let at = 0;
  for (const size of [...sizes, bytes.length]) {
    if (at < bytes.length) pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

/** The project's own cases stand in where the recordings are not there. */
function ownCases(): Source {
  const folders = globSync(resolve(fixtures, '*', '*')).filter((folder) =>
    ['stream.sse', 'answer.json'].some((name) => existsSync(resolve(folder, name))),
  );
  const byName = new Map(folders.sort().map((folder) => [basename(folder), folder]));
  return {
    about: `the ${byName.size} cases of fixtures/, because there is ${recordingsAbsent}`,
    ids: [...byName.keys()],
    play(id, stream) {
      const folder = byName.get(id);
      return folder === undefined ? undefined : casePlay(folder, stream);
    },
  };
}

function casePlay(folder: string, stream: boolean): Play {
  const whole = resolve(folder, 'answer.json');
  const events = resolve(folder, 'stream.sse');
  if (existsSync(events) && (stream || !existsSync(whole)))
    return {
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      pieces: piecesOf(readFileSync(events, 'utf8')),
    };
  return { status: 200, headers: { 'content-type': 'application/json' }, pieces: [readFileSync(whole)] };
}
