// What a provider is before the configuration speaks: one row of the table, all data, 6 to 12 lines each.

import type { Format } from './format.ts';
import type { Auth, Billing, Timeouts } from './target.ts';

export interface ProviderRow {
  readonly name: string;
  /** Other names under which clients and configurations may call it (`google` is `gemini`). */
  readonly synonyms: readonly string[];
  readonly format: Format;
  /** Without a trailing slash. `{location}` and the like are filled from `settings`, path-safe. */
  readonly baseUrl: string;
  readonly auth: Auth;
  /** Environment variables that hold a key, first one set wins. Empty: needs no key, and is on only when configured. */
  readonly keyVariables: readonly string[];
  /** Environment variables that name a file whose whole content is the credential (a Google service account). */
  readonly keyFileVariables: readonly string[];
  /** Environment variables that fill a setting, by setting, first one set wins. */
  readonly settingVariables: Readonly<Record<string, readonly string[]>>;
  /** Settings without which the provider cannot be addressed. */
  readonly needs: readonly string[];
  /** Bare model names that belong to it. Anchored and linear: client text runs through them. */
  readonly owns: readonly RegExp[];
  /** The provider id in the price catalogue; '' where only the operator's own prices can apply. */
  readonly catalogue: string;
  readonly billing: Billing;
  /** Where the facts of `billing` come from; what is absent is assumed. */
  readonly evidence: {
    /** The most tokens that one event of a recorded stream carried, and how many events were looked at. */
    readonly packed?: { readonly most: number; readonly events: number };
    /** `router`: routers that resell the provider document what an abort does. `local`: the operator's own machine. */
    readonly abort?: 'router' | 'local';
  };
  readonly tier: 'verified' | 'community';
  readonly quirks: readonly string[];
  /** Fixed headers, lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Defaults of the settings. */
  readonly settings: Readonly<Record<string, string>>;
  /** What differs from `defaultTimeouts`, ms. */
  readonly timeouts: Partial<Timeouts>;
}
