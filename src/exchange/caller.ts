// Who is asking: what a credential stands for.

export interface Caller {
  /** `key:ID`'s ID; `open` in open mode. */
  readonly keyId: string;
  readonly keyName: string;
  /** Names or globs (`gpt-*`, `openai/*`); empty allows every model. */
  readonly allowedModels: readonly string[];
  /** Scopes that come from the credential itself, `kind:id`, the global one included. */
  readonly scopes: readonly string[];
  /** The key's own budget, beside those of the configuration; its windows begin in UTC. */
  readonly budget?: { readonly limit: number; readonly per: Period };
}

/** A virtual key as the store has it. The key itself is kept nowhere; `hash` is an HMAC of it. */
export interface KeyRecord {
  readonly id: string;
  readonly name: string;
  /** Hex HMAC-SHA-256 of the key under the installation's pepper. */
  readonly hash: string;
  /** The first characters, for recognition in lists: `sk-tg-AbC…`. */
  readonly hint: string;
  readonly allowedModels: readonly string[];
  /** Epoch ms. */
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly revokedAt?: number;
  readonly budget?: { readonly limit: number; readonly per: Period };
}

export type Period = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'lifetime';
