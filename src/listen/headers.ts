// Which headers cross the gateway: a short allow-list on the way up, our own facts on the way down.

import { costOf, type Draft } from '../exchange/draft.ts';
import type { Format } from '../exchange/format.ts';
import { formatUsd, type NanoUsd } from '../exchange/money.ts';

/** Passed to a provider of the client's own format, where it sent any. Everything else stays here: credentials, cookies, names of ours. */
const upward = ['anthropic-version', 'anthropic-beta', 'openai-beta', 'openai-organization', 'openai-project'] as const;

export function forwarded(headers: Readonly<Record<string, string | undefined>>): Record<string, string> | undefined {
  let passed: Record<string, string> | undefined;
  for (const name of upward) {
    const value = headers[name];
    if (value === undefined) continue;
    passed ??= {};
    passed[name] = value;
  }
  return passed;
}

export interface Shown {
  /** What the caller's own tightest budget still has; undefined where it has none. */
  readonly remaining: NanoUsd | undefined;
}

/** Where a format's own SDK looks for the id of a request. */
const sdkIds: Readonly<Partial<Record<Format, string>>> = {
  'openai-chat': 'x-request-id',
  'anthropic-messages': 'request-id',
};

/** What became of an exchange so far, on answers and refusals alike. */
export function exchangeHeaders(draft: Draft): Record<string, string> {
  const headers: Record<string, string> = { 'x-tollgate-request-id': draft.id };
  const own = sdkIds[draft.format];
  if (own !== undefined) headers[own] = draft.id;
  if (draft.attempts > 0) headers['x-tollgate-attempts'] = String(draft.attempts);
  if (draft.target) {
    headers['x-tollgate-provider'] = draft.target.provider.name;
    headers['x-tollgate-model'] = printable(draft.target.model);
  }
  if (draft.rule !== '') headers['x-tollgate-rule'] = printable(draft.rule);
  if (draft.dropped.length > 0) headers['x-tollgate-dropped'] = printable(draft.dropped.join(','));
  return headers;
}

/** The contract's response headers. Cost only on a whole answer: on a stream it is not known yet. */
export function answerHeaders(draft: Draft, shown: Shown, overheadMs: number, whole = false): Record<string, string> {
  const headers = exchangeHeaders(draft);
  headers['x-tollgate-cache'] = 'off';
  headers['x-tollgate-overhead-ms'] = overheadMs.toFixed(2);
  if (whole) {
    headers['x-tollgate-cost'] = formatUsd(costOf(draft.charges));
    headers['x-tollgate-saved'] = '0';
  }
  if (shown.remaining !== undefined) headers['x-tollgate-budget-remaining'] = formatUsd(Math.max(0, shown.remaining));
  return headers;
}

/** Client-made names may hold anything; a header may not. */
function printable(text: string): string {
  if (text.length <= 1024 && /^[\x20-\x7e]*$/.test(text)) return text;
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 1024);
}
