// What is written down of an exchange: one receipt each, and the journal rows that make the ledger.

import type { Format } from './format.ts';
import type { NanoUsd } from './money.ts';
import type { Usage } from './usage.ts';

/** How an exchange ended. */
export type Ending =
  | 'completed'
  | 'cancelled'
  | 'cut'
  | 'killed'
  | 'refused'
  | 'failed'
  | 'timed-out'
  /** Written at start for a hold that a dead process left open. */
  | 'crashed';

/** One upstream attempt and what it cost. Charged at most once, under (request, attempt). */
export interface Charge {
  readonly attempt: number;
  readonly provider: string;
  /** The model as it was priced. */
  readonly model: string;
  readonly usage: Usage;
  readonly cost: NanoUsd;
  /** Which price row: catalogue version and start date, or `config`. */
  readonly priceVersion: string;
  /** Whose price it was, where the answer named a dearer or cheaper model than the one that was asked for. */
  readonly pricedAs?: string;
  /** Set where the provider's own usage never came: what the numbers rest on. */
  readonly estimated?: 'received-text' | 'held-amount' | 'maybe-charged';
  /** HTTP status of the attempt; 0 where none came. */
  readonly status: number;
  /** Why it did not serve the client, where it did not. */
  readonly failure?: string;
}

export interface Receipt {
  readonly id: string;
  readonly at: number;
  readonly keyId: string;
  readonly scopes: readonly string[];
  readonly format: Format;
  /** As the client asked. */
  readonly asked: string;
  /** As it was served; empty where nothing was. */
  readonly provider: string;
  readonly model: string;
  readonly rule: string;
  readonly stream: boolean;
  readonly ending: Ending;
  /** The status the client saw (499 where it left first). */
  readonly status: number;
  /** Code of the refusal or failure, where there was one. */
  readonly code: string;
  readonly charges: readonly Charge[];
  readonly cost: NanoUsd;
  readonly saved: NanoUsd;
  readonly estimated: boolean;
  readonly dropped: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly cache: 'hit' | 'miss' | 'semantic' | 'off';
  /** Milliseconds. `overheadMs` is the time that was not spent waiting for the provider or the client. */
  readonly durationMs: number;
  readonly firstByteMs: number;
  readonly overheadMs: number;
}

/** An account that a row touches. `amount` is set where it is charged something else than the receipt's whole cost. */
export interface JournalAccount {
  readonly scope: string;
  readonly window: string;
  readonly amount?: NanoUsd;
}

export interface HoldRow {
  readonly type: 'hold';
  readonly id: string;
  readonly at: number;
  readonly amount: NanoUsd;
  readonly accounts: readonly JournalAccount[];
  readonly provider: string;
  readonly model: string;
  readonly keyId: string;
  /** What the receipt of a crash says beside it. Absent: `openai-chat`, the model, no stream, attempt 1, its accounts' scopes. */
  readonly format?: Format;
  readonly asked?: string;
  readonly stream?: true;
  readonly attempt?: number;
  /** The caller's scopes that no account stands for. */
  readonly scopes?: readonly string[];
  /** The `number` of the last adjust row, where a head repeats the hold. */
  readonly number?: number;
}

/** Sets the hold's amount (a top-up or a move to another target). */
export interface AdjustRow {
  readonly type: 'adjust';
  readonly id: string;
  readonly at: number;
  /** Ascending within a hold: a row that comes again changes nothing. */
  readonly number: number;
  readonly amount: NanoUsd;
  readonly provider: string;
  readonly model: string;
  /** The accounts it stands on from here, where the move changed them. */
  readonly accounts?: readonly JournalAccount[];
  /** They changed because a budget was made: the target is the same. */
  readonly joined?: true;
}

/** Closes the hold and posts its cost: one row, so that money and receipt cannot disagree. */
export interface ReceiptRow {
  readonly type: 'receipt';
  readonly receipt: Receipt;
  /** What is posted where. Absent: the whole cost to every account of the hold, which spares 600 bytes a request. */
  readonly accounts?: readonly JournalAccount[];
}

/** Stands at the head of a segment: all that the segments before it say about windows not yet over. */
export interface BalancesRow {
  readonly type: 'balances';
  readonly at: number;
  /** `amount` is what was posted; `at` when the account was last used. */
  readonly accounts: readonly { scope: string; window: string; amount: NanoUsd; at: number }[];
  /** Holds that were open, as their own rows would say it now. */
  readonly open: readonly HoldRow[];
  /** Receipts and corrections that these sums contain and that may yet come again: they then change nothing. */
  readonly counted?: readonly Counted[];
}

export interface Counted {
  readonly id: string;
  /** Epoch ms after which no later head needs to name it; absent where a lifetime has it. */
  readonly until?: number;
}

/**
 * What a later look at the provider's bill changes: a new row, never an edit. Posted once by its id, to the accounts it
 * names where their window still stands, and to reports under its day in any case.
 */
export interface CorrectionRow {
  readonly type: 'correction';
  readonly id: string;
  readonly at: number;
  /** The exchange it corrects; absent for a whole day of a model. */
  readonly receipt?: string;
  /** The day it belongs to, `2026-11-21` (UTC). */
  readonly day: string;
  readonly provider: string;
  readonly model: string;
  /** Added to what was posted; negative where too much was. */
  readonly amount: NanoUsd;
  /** Why, in the operator's words or the importer's: `openai costs export 2026-11`. */
  readonly reason: string;
  readonly accounts: readonly JournalAccount[];
}

/** Rows of the journal, in the order they are written. `at` is epoch ms. */
export type JournalRow = HoldRow | AdjustRow | ReceiptRow | BalancesRow | CorrectionRow;
