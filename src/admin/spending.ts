// What was spent and on what: receipts, cost analytics, balances. Every amount is formatted from integers of nano-USD.

import type { Ending, Receipt } from '../exchange/receipt.ts';
import { Refusal } from '../exchange/refusal.ts';
import { inputTokens, outputTokens } from '../exchange/usage.ts';
import { otherCostsIn } from './other-costs.ts';
import { ok, type Route } from './route.ts';
import { instant, moment, textOf, usd, wholeNumber } from './show.ts';

const endings: readonly Ending[] = [
  'completed',
  'cancelled',
  'cut',
  'killed',
  'refused',
  'failed',
  'timed-out',
  'crashed',
];

const span = { from: 'Start: 7d (ago), 2026-01-01, an ISO instant or epoch ms', to: 'End, excluded; as from' };

function range(query: URLSearchParams, now: number): { from?: number; to?: number } {
  const from = moment(query, 'from', now);
  const to = moment(query, 'to', now);
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

export const spendingRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/admin/analytics/costs',
    access: 'admin',
    summary: 'Totals of cost, requests, cache and tokens, by model, key and day',
    query: { ...span, key: 'Only this key id', provider: 'Only this provider', model: 'Only this model' },
    answers:
      '{ total_cost, total_requests, cache_hits, cache_misses, estimated_saved, other_costs, by_model, by_key, by_day, … }',
    handle: async (ask, parts) => {
      const query = {
        ...range(ask.query, parts.clock.now()),
        ...textOf(ask.query, 'key', 'keyId'),
        ...textOf(ask.query, 'provider', 'provider'),
        ...textOf(ask.query, 'model', 'model'),
      };
      // What ended before this question is part of the answer.
      await parts.store.catchUp();
      const { totals, byModel, byKey, byDay } = await parts.store.costs(query);
      const names = new Map(parts.identify.list().map((record) => [record.id, record.name]));
      const part = (row: { requests: number; cost: number }) => ({
        requests: row.requests,
        cost: usd(row.cost),
        cost_nano_usd: row.cost,
      });
      return ok({
        currency: 'USD',
        from: instant(query.from) ?? null,
        to: instant(query.to) ?? null,
        total_cost: usd(totals.cost),
        total_cost_nano_usd: totals.cost,
        total_requests: totals.requests,
        failed_requests: totals.failed,
        cache_hits: totals.cacheHits,
        cache_misses: totals.cacheMisses,
        estimated_saved: usd(totals.saved),
        input_tokens: totals.inputTokens,
        output_tokens: totals.outputTokens,
        // Kept apart: entered by people, in no budget and no total.
        other_costs: (query.keyId ?? query.model) ? null : await otherCostsIn(parts, query),
        by_model: byModel.map((row) => ({ model: row.model, provider: row.provider, ...part(row) })),
        by_key: byKey.map((row) => ({ key_id: row.keyId, name: names.get(row.keyId) ?? null, ...part(row) })),
        by_day: byDay.map((row) => ({ day: instant(row.at)?.slice(0, 10), ...part(row) })),
      });
    },
  },
  {
    method: 'GET',
    path: '/admin/requests',
    access: 'admin',
    summary: 'Receipts, newest first',
    query: {
      ...span,
      key: 'Only this key id',
      ending: `Only this ending: ${endings.join(', ')}`,
      before: 'Older than this request id: `next` of the page before',
      limit: 'At most this many, up to 1000; 100',
    },
    answers: '{ data: [receipt], next }',
    handle: async (ask, parts) => {
      const ending = ask.query.get('ending') as Ending | null;
      if (ending && !endings.includes(ending)) {
        throw new Refusal('invalid_request', `ending must be one of ${endings.join(', ')}.`, { param: 'ending' });
      }
      const limit = wholeNumber(ask.query, 'limit', 1000) ?? 100;
      await parts.store.catchUp();
      const receipts = await parts.store.requests({
        ...range(ask.query, parts.clock.now()),
        ...textOf(ask.query, 'key', 'keyId'),
        ...textOf(ask.query, 'before', 'before'),
        ...(ending ? { ending } : {}),
        limit,
      });
      return ok({ data: receipts.map(line), next: receipts.length === limit ? (receipts.at(-1)?.id ?? null) : null });
    },
  },
  {
    method: 'GET',
    path: '/admin/requests/{id}',
    access: 'admin',
    summary: 'One receipt with every attempt and what it cost',
    answers: 'receipt with attempts',
    handle: async (ask, parts) => {
      await parts.store.catchUp();
      const receipt = await parts.store.receipt(ask.params.id ?? '');
      if (!receipt) throw new Refusal('unknown_path', 'There is no request with this id.');
      return ok(whole(receipt));
    },
  },
];

function line(receipt: Receipt): Record<string, unknown> {
  const count = (of: typeof inputTokens) => receipt.charges.reduce((sum, charge) => sum + of(charge.usage), 0);
  return {
    id: receipt.id,
    at: instant(receipt.at),
    key_id: receipt.keyId,
    asked: receipt.asked,
    provider: receipt.provider,
    model: receipt.model,
    rule: receipt.rule,
    stream: receipt.stream,
    ending: receipt.ending,
    status: receipt.status,
    code: receipt.code,
    cost: usd(receipt.cost),
    cost_nano_usd: receipt.cost,
    saved: usd(receipt.saved),
    estimated: receipt.estimated,
    cache: receipt.cache,
    input_tokens: count(inputTokens),
    output_tokens: count(outputTokens),
    attempts: receipt.charges.length,
    duration_ms: receipt.durationMs,
    first_byte_ms: receipt.firstByteMs,
    overhead_ms: receipt.overheadMs,
    tags: receipt.tags,
  };
}

function whole(receipt: Receipt): Record<string, unknown> {
  return {
    ...line(receipt),
    format: receipt.format,
    scopes: receipt.scopes,
    dropped: receipt.dropped,
    charges: receipt.charges.map((charge) => ({
      attempt: charge.attempt,
      provider: charge.provider,
      model: charge.model,
      status: charge.status,
      failure: charge.failure ?? null,
      usage: charge.usage,
      cost: usd(charge.cost),
      cost_nano_usd: charge.cost,
      price_version: charge.priceVersion,
      estimated: charge.estimated ?? null,
    })),
  };
}
