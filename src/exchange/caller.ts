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
  /** What becomes of the names that its requests give themselves; all are allowed where unset. */
  readonly claims?: ClaimRules;
  /** User tier, a field of key or user; never a header. */
  readonly tier?: string;
}

/** What a client may call its own: a run, tags, an end user. They only ever add a limit. */
export type ClaimKind = 'run' | 'tag' | 'end_user';

/** `forbid`: a request that names one is refused. `pin`: it has these values, whatever the request says. */
export interface ClaimRules {
  readonly forbid?: readonly ClaimKind[];
  /** `{ run: 'nightly', end_user: 'ann' }`; of tags each by its name: `{ tag: { team: 'a' } }`. */
  readonly pin?: {
    readonly run?: string;
    readonly end_user?: string;
    readonly tag?: Readonly<Record<string, string>>;
  };
}

/** Who stands over keys: `org:acme` > `team:search` > `user:ann` or `service:ci@acme.com`. */
export interface Unit {
  readonly kind: 'org' | 'team' | 'user' | 'service';
  readonly id: string;
  readonly name: string;
  /** Scope of the unit above it: a team's org, a user's or service's team or org. */
  readonly parent?: string;
  readonly tier?: string;
  readonly createdAt: number;
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
  /** Scope of the unit that owns it (`team:search`, `user:ann`): its requests stand on that one and all above it. */
  readonly owner?: string;
  readonly claims?: ClaimRules;
  readonly tier?: string;
}

/** A budget made through the control plane; what a file declares is no such record. */
export interface BudgetRecord {
  readonly id: string;
  readonly scope: string;
  readonly limit: number;
  readonly per: Period;
  readonly timezone: string;
  readonly alertAt: readonly number[];
  readonly soft?: true;
  readonly onExhausted?: 'error' | 'finish';
  /** A higher limit until a moment (epoch ms), after which `limit` holds again. */
  readonly raise?: { readonly limit: number; readonly until: number };
  readonly createdAt: number;
}

export type Period = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'lifetime';
