// What `call` is handed: one attempt, ready to leave. It cannot be built without a hold.

import type { Hold } from './hold.ts';
import type { Timeouts } from './target.ts';

export interface WireRequest {
  readonly hold: Hold;
  readonly attempt: number;
  readonly method: 'POST' | 'GET';
  /** Scheme, host and port. `sim:` is the built-in provider. */
  readonly origin: string;
  readonly path: string;
  /** Lower-case names. Credentials are in here: never logged. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
  readonly timeouts: Timeouts;
  /** Who named the address: the config file may name private hosts, the admin API may not. */
  readonly trust: 'config' | 'public';
}

/** Why an attempt gave no (further) answer. */
export interface CallFailure {
  readonly kind: 'connect' | 'timeout' | 'reset' | 'aborted' | 'protocol' | 'forbidden-address';
  /** Which clock ran out. */
  readonly clock?: 'connect' | 'first-byte' | 'idle' | 'total';
  /** Whether any byte of the request may have reached the provider: only an unsent one is surely free. */
  readonly sent: boolean;
  readonly message: string;
}

/** Callbacks rather than promises: one a chunk would cost more than the chunk. Exactly one of end and fail is called. */
export interface CallHandler {
  start(status: number, headers: Readonly<Record<string, string>>): void;
  data(chunk: Buffer): void;
  end(): void;
  fail(failure: CallFailure): void;
}

export interface CallHandle {
  /** Idempotent; the handler's `fail` follows with kind `aborted` unless the call is over. */
  abort(): void;
  pause(): void;
  resume(): void;
}

/**
 * A request that buys nothing and so needs no hold: it fetches an access token. `call` does not take it; the network
 * port does. Only with trust `metadata` may it reach a cloud's metadata address.
 */
export interface TokenRequest extends Omit<WireRequest, 'hold' | 'attempt' | 'trust'> {
  readonly trust: WireRequest['trust'] | 'metadata';
}
