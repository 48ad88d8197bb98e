// A receipt while its exchange still runs: what is known so far, and the one way to finish it.

import type { Caller } from './caller.ts';
import type { Format } from './format.ts';
import type { Charge, Ending, Receipt } from './receipt.ts';
import type { Target } from './target.ts';
import { inputTokens, outputTokens } from './usage.ts';

export interface Draft {
  readonly id: string;
  readonly format: Format;
  /** Epoch ms and monotonic ms of arrival. */
  readonly at: number;
  readonly startedAt: number;
  asked: string;
  rule: string;
  stream: boolean;
  target?: Target;
  attempts: number;
  charges: Charge[];
  dropped: readonly string[];
  tags: Readonly<Record<string, string>>;
  ending: Ending;
  status: number;
  code: string;
  /** Monotonic ms of the first byte towards the client; 0 until then. */
  firstByteAt: number;
  /** Milliseconds spent waiting for providers so far. */
  waitedMs: number;
}

export function createDraft(id: string, format: Format, at: number, startedAt: number): Draft {
  return {
    id,
    format,
    at,
    startedAt,
    asked: '',
    rule: '',
    stream: false,
    attempts: 0,
    charges: [],
    dropped: [],
    tags: {},
    ending: 'failed',
    status: 500,
    code: '',
    firstByteAt: 0,
    waitedMs: 0,
  };
}

/** Nano-USD of all attempts: retries and failovers are charged to the request that caused them. */
export function costOf(charges: readonly Charge[]): number {
  let cost = 0;
  for (const charge of charges) cost += charge.cost;
  return cost;
}

/** Tokens that an exchange really used, in and out. */
export function tokensOf(charges: readonly Charge[]): number {
  let tokens = 0;
  for (const { usage } of charges) tokens += inputTokens(usage) + outputTokens(usage);
  return tokens;
}

export function finishDraft(draft: Draft, caller: Caller, now: number): Receipt {
  const duration = now - draft.startedAt;
  return {
    id: draft.id,
    at: draft.at,
    keyId: caller.keyId,
    scopes: caller.scopes,
    format: draft.format,
    asked: draft.asked.slice(0, 256),
    provider: draft.target?.provider.name ?? '',
    model: draft.target?.model ?? '',
    rule: draft.rule,
    stream: draft.stream,
    ending: draft.ending,
    status: draft.status,
    code: draft.code,
    charges: draft.charges,
    cost: costOf(draft.charges),
    saved: 0,
    estimated: draft.charges.some((charge) => charge.estimated !== undefined),
    dropped: draft.dropped,
    tags: draft.tags,
    cache: 'off',
    durationMs: round(duration),
    firstByteMs: draft.firstByteAt === 0 ? 0 : round(draft.firstByteAt - draft.startedAt),
    overheadMs: round(Math.max(0, duration - draft.waitedMs)),
  };
}

/** Microseconds are as fine as a receipt is worth. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
