// What the control plane stands on, as small shapes: the rooms and the store fit them, and so does a test's own.

import type { CatalogueKeeper } from '../config/catalogue-keeper.ts';
import type { BudgetRecord, Caller, ClaimRules, KeyRecord, Period, Unit } from '../exchange/caller.ts';
import type { Balance } from '../exchange/hold.ts';
import type { NanoUsd } from '../exchange/money.ts';
import type { BudgetRule, PriceRule, Snapshot } from '../exchange/policy.ts';
import type { Priced } from '../exchange/rate.ts';
import type { CorrectionRow, Receipt } from '../exchange/receipt.ts';
import type { CostsAnswer, OtherCost, RequestsQuery, SpendQuery, SpendRow } from '../exchange/spend.ts';
import type { Secret } from '../exchange/target.ts';
import type { Bucket, Usage } from '../exchange/usage.ts';
import type { Workmate } from '../exchange/workers.ts';
import type { Killable, Running } from '../inflight.ts';
import type { Clock, Log, Random } from '../world/world.ts';

export interface AdminParts {
  readonly token: Secret;
  readonly metricsAccess: 'open' | 'token' | 'off';
  readonly identify: AdminIdentify;
  readonly store: AdminStore;
  readonly prices: AdminPrices;
  readonly inflight: AdminInflight;
  /** Where several processes serve one port together. */
  readonly workers?: Workmate;
  readonly catalogue: AdminCatalogue;
  /** What a usage costs at a target at a moment; undefined where that has no price. */
  priceUsage(target: Priced, usage: Usage, at: number): NanoUsd | undefined;
  /** Posts a correction once: false where its id is known. Throws `ledger_unavailable`. */
  correct(row: CorrectionRow): boolean;
  snapshot(): Snapshot;
  /** What to set so that a provider, provider/model or bare model is served; empty where nothing is known of it. */
  remedy(wanted: string): string;
  /** What the configuration file says, without secrets, and what it was warned of. */
  config(): { readonly declared: Readonly<Record<string, unknown>>; readonly warnings: readonly { message: string }[] };
  readonly budgets: AdminBudgets;
  balances(): readonly Balance[];
  readonly ledger: {
    standing(): LedgerStanding;
    /** Several instances write into one store, of which this journal is a part. */
    readonly shared: boolean;
  };
  /** The Prometheus text. */
  metrics(): string;
  health(): readonly { readonly provider: string; readonly up: boolean }[];
  /** Why no request would be served now; empty when ready. */
  notReady(): readonly string[];
  /** What is amiss while requests are served. */
  degraded?(): readonly string[];
  readonly about: { readonly version: string; readonly node: string };
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
  readonly log: Pick<Log, 'info' | 'error'>;
}

/** Every account up to a position in the journal, both of the same moment. */
export interface LedgerStanding {
  readonly at: number;
  readonly position: { readonly segment: string; readonly offset: number };
  readonly failing: boolean;
  readonly accounts: readonly {
    readonly scope: string;
    readonly window: string;
    readonly posted: NanoUsd;
    readonly held: NanoUsd;
  }[];
}

export interface AdminInflight {
  /** Other instances may run what this one does not: they would share its store. */
  readonly elsewhere: boolean;
  list(): readonly Running[];
  /** `here`: how many ended on this instance; `told`: whether the others will hear of it. */
  kill(what: Killable, id: string): Promise<{ readonly here: number; readonly told: boolean }>;
}

export interface AdminIdentify {
  mint(random: Random, wants: KeyWants): { readonly record: KeyRecord; readonly key: string };
  /** Adds a key, or replaces the one of the same id. */
  add(record: KeyRecord): void;
  revoke(id: string, at: number): KeyRecord | undefined;
  list(): readonly KeyRecord[];
  units(): readonly Unit[];
  addUnit(unit: Unit): void;
  removeUnit(scope: string): Unit | undefined;
}

export interface AdminBudgets {
  list(): readonly AdminBudget[];
  put(record: BudgetRecord): void;
  remove(id: string): void;
}

export interface AdminBudget {
  readonly rule: BudgetRule;
  readonly source: 'file' | 'default' | 'api';
  readonly record?: BudgetRecord;
}

export interface KeyWants {
  readonly name: string;
  readonly allowedModels?: Caller['allowedModels'];
  readonly expiresAt?: number;
  readonly budget?: { readonly limit: NanoUsd; readonly per: Period };
  readonly owner?: string;
  readonly claims?: ClaimRules;
  readonly tier?: string;
}

export interface AdminStore {
  saveKey(record: KeyRecord): Promise<unknown>;
  saveUnit(unit: Unit): Promise<unknown>;
  removeUnit(unit: Pick<Unit, 'kind' | 'id'>): Promise<unknown>;
  saveBudget(record: BudgetRecord): Promise<unknown>;
  removeBudget(id: string): Promise<unknown>;
  /** Reads what the journal has and the store has not yet. */
  catchUp(): Promise<unknown>;
  costs(query: SpendQuery): Promise<CostsAnswer>;
  spend(query: SpendQuery): Promise<readonly SpendRow[]>;
  otherCosts(span: { from?: number; to?: number }): Promise<readonly OtherCost[]>;
  /** How many were new. */
  addOtherCosts(entries: readonly OtherCost[]): Promise<number>;
  removeOtherCost(id: string): Promise<boolean>;
  requests(query: RequestsQuery): Promise<readonly Receipt[]>;
  receipt(id: string): Promise<Receipt | undefined>;
}

export interface AdminCatalogue extends Pick<CatalogueKeeper, 'state' | 'propose' | 'apply' | 'rowOf'> {
  /** The text of a feed at an https address. Rejects with `FeedError`. */
  fetch(address: string): Promise<string>;
}

export interface AdminPrices {
  /** Model ids that the catalogue lists for a provider's prices. */
  models(catalogue: string): readonly string[];
  rate(
    target: { readonly provider: { readonly name: string; readonly catalogue: string }; readonly model: string },
    rules: readonly PriceRule[],
    at: number,
  ): AdminRate | undefined;
}

/** Amounts are pico-USD a unit. */
export interface AdminRate {
  readonly version: string;
  readonly free?: boolean;
  readonly longContext: 'whole_request' | 'marginal';
  readonly tiers: readonly { readonly above: number; readonly prices: Readonly<Partial<Record<Bucket, number>>> }[];
  readonly services: Readonly<Record<string, readonly [number, number]>>;
}
