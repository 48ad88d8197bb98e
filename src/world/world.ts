// The ports by which everything with effects comes in. `main.ts` fills them with the real world, `sim/` with a seeded one.

import type { CallHandle, CallHandler, TokenRequest, WireRequest } from '../exchange/wire.ts';

export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly log: Log;
  /** Absent where nothing can be counted exactly: estimates alone decide then. */
  readonly tokenizer?: Tokenizer;
}

/** Exact counts, off the loop and with a bound on their work. */
export interface Tokenizer {
  /**
   * Tokens of the text; undefined where that takes more work than the bound (ms of a processor's time), whatever the
   * text. While what counts is still being started, or waits for a processor, that is waited for on top, within bounds.
   */
  count(text: string, encoding: 'o200k_base' | 'cl100k_base', workMs: number): Promise<number | undefined>;
  /** Money grows scarce: a count may be asked for soon. Cheap to call again. */
  warm(): void;
}

export interface Clock {
  /** Epoch milliseconds, whole. */
  now(): number;
  /** Milliseconds with fractions, never going back. */
  monotonic(): number;
  after(ms: number, task: () => void): Cancel;
  every(ms: number, task: () => void): Cancel;
  /** After what is already due in this turn of the loop, before any timer. */
  soon(task: () => void): void;
}

export type Cancel = () => void;

export interface Random {
  bytes(length: number): Buffer;
  /** [0, 1). */
  fraction(): number;
}

export interface Network {
  /** One HTTP/1.1 exchange. Bounds and addresses are the adapter's: connect timeout and trust classes are honoured there. */
  dispatch(request: WireRequest | TokenRequest, handler: CallHandler): CallHandle;
  /** Closes idle connections and refuses new ones. */
  close(): Promise<void>;
}

export interface Log {
  /** False where nobody listens on that level: what every exchange tells there is then not put together. */
  readonly debugs: boolean;
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** Flat facts only: no bodies, no headers, no keys. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** An append-only file, written synchronously: the page cache survives the death of the process. */
export interface AppendFile {
  readonly name: string;
  readonly size: number;
  /** Whole or not at all; throws what the file system says (ENOSPC, EROFS, EIO). */
  write(bytes: Uint8Array): void;
  /** Survives power loss once resolved. */
  sync(): Promise<void>;
  close(): void;
}

/** A folder of journal segments. */
export interface SegmentFolder {
  /** Names in order. */
  list(): string[];
  /** The whole file, or its first `bytes`. */
  read(name: string, bytes?: number): Buffer;
  open(name: string): AppendFile;
  truncate(name: string, size: number): void;
  remove(name: string): void;
}

/** What node's server hands over, cut down to what is used; the simulated world makes its own. */
export interface InboundRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Each piece of the body, and null at its end. Either this or the events, and before the first turn of the loop is over. */
  onBody(take: (piece: Buffer | null) => void): void;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'end' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  resume(): unknown;
}

export interface InboundReply {
  writeHead(status: number, headers: Readonly<Record<string, string | number>>): unknown;
  write(chunk: Uint8Array | string): boolean;
  /** One byte a character. */
  write(text: string, encoding: 'latin1'): boolean;
  end(chunk?: Uint8Array | string): unknown;
  destroy(): unknown;
  /** Calls back where nothing at all has moved on the connection for so long. */
  setTimeout(ms: number, listener: () => void): unknown;
  on(event: 'drain' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  readonly writableFinished: boolean;
}

export type InboundListener = (request: InboundRequest, reply: InboundReply) => void;
