// Where a request may go: a provider as the configuration knows it, and one of its models.

import type { Format } from './format.ts';

/** A secret string that no log, error, template or JSON can print by accident. */
export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  /** The only way to the characters; called where credentials are put on the wire. */
  reveal(): string {
    return this.#value;
  }
  toString(): string {
    return '[secret]';
  }
  toJSON(): string {
    return '[secret]';
  }
}

export interface Billing {
  /** `strict`: overspend is 0 within the low-water mark; `bounded`: the provider may run past it by a stated bound. */
  readonly mode: 'strict' | 'bounded';
  /** Whether closing the connection stops the provider's meter. */
  readonly abortStops: boolean;
  /** Output tokens that may be in flight: a top-up is asked for while at least this many are unused. */
  readonly lowWater: number;
}

/** How a provider takes its credential. `google-token` is fetched by code of its own in `providers/`. */
export type Auth = 'bearer' | 'x-api-key' | 'x-goog-api-key' | 'api-key' | 'none' | 'google-token';

/** A provider ready for use: its table row merged with the configuration. */
export interface Provider {
  readonly name: string;
  readonly format: Format;
  /** Without a trailing slash: `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  readonly auth: Auth;
  /** Used in turn; empty where none is needed. For `google-token` the content of the credential file, or none: then the metadata server is asked. */
  readonly keys: readonly Secret[];
  /** Fixed headers, lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Which provider's prices apply in the catalogue. */
  readonly catalogue: string;
  readonly billing: Billing;
  readonly tier: 'verified' | 'community';
  /** Names of small adjustments in `providers/` that this provider's requests need. */
  readonly quirks: readonly string[];
  /** Model names it owns when a client sends a bare one. */
  readonly owns: readonly RegExp[];
  /** Who named the address: the config file may name private hosts, the admin API may not. */
  readonly trust: 'config' | 'public';
  readonly timeouts: Timeouts;
  /** Settings only this provider's code reads (Azure's api-version, Vertex's project and location). */
  readonly settings: Readonly<Record<string, string>>;
}

/** Milliseconds. */
export interface Timeouts {
  readonly connect: number;
  readonly firstByte: number;
  readonly idle: number;
  readonly total: number;
}

export interface Target {
  readonly provider: Provider;
  /** As the provider calls it. */
  readonly model: string;
  readonly timeouts: Timeouts;
}

/** The ordered targets of one request, first choice first; never empty. */
export interface Plan {
  readonly targets: readonly Target[];
  /** The alias or rule that decided; absent where the client named the target. */
  readonly rule?: string;
}
