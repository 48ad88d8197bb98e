// A request as it came in, before anybody trusts it, and the reply that will go out.

import type { Surface } from './format.ts';

export interface Ingress {
  /** Our own id, time-ordered; the ledger's key. */
  readonly id: string;
  readonly surface: Surface;
  readonly path: string;
  /** From wherever the client's SDK puts it; undefined where there is none. */
  readonly credential: string | undefined;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Clock of arrival: epoch ms, and monotonic ms for durations. */
  readonly receivedAt: number;
  readonly startedAt: number;
  /** The whole body, bounded in size and time; rejects with `Refusal`. */
  body(): Promise<Buffer>;
  readonly reply: Reply;
}

/** The way out to the client. Exactly one of `send` and `begin` is called, once. */
export interface Reply {
  /** A whole answer. */
  send(status: number, headers: Readonly<Record<string, string>>, body: Uint8Array | string): void;
  /** The head of a stream; bytes follow by `write`. */
  begin(status: number, headers: Readonly<Record<string, string>>): void;
  /** False once more than the bound is waiting: stop until `onDrain`. A dead reply swallows writes and says true. */
  write(chunk: Uint8Array | string): boolean;
  /** Bytes as a text of one character each: the cheapest to write. */
  writeLatin1(text: string): boolean;
  end(): void;
  /** Tears the connection down, so that a half-sent answer cannot look whole. */
  destroy(): void;
  readonly begun: boolean;
  /** Its last byte has been given to it. */
  readonly ended: boolean;
  /** The client left before the end. */
  readonly gone: boolean;
  onDrain(listener: () => void): void;
  /** Called once, if the client leaves before the reply has ended. */
  onGone(listener: () => void): void;
}
