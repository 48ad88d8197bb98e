// Costs that no request made: entered, imported, listed, and told beside what was spent. Never in a budget or a total.

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { formatUsd, type NanoUsd, parseUsd } from '../exchange/money.ts';
import { Refusal } from '../exchange/refusal.ts';
import type { OtherCost } from '../exchange/spend.ts';
import type { AdminParts } from './parts.ts';
import { ok, type Route } from './route.ts';
import { moment, usd } from './show.ts';

const dayMs = 86_400_000;
const entriesMax = 10_000;
const daysMax = 3660;

const day = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a day such as 2026-11-01')
  .refine((text) => {
    const at = Date.parse(text);
    return Number.isFinite(at) && new Date(at).toISOString().startsWith(text);
  }, 'is no day of the calendar');

const entry = z.strictObject({
  from: day.describe('First day, UTC.'),
  to: day.optional().describe('Last day, included; the first.'),
  amount: z.union([z.string(), z.number()]).describe('USD: 120, 49.90 USD.'),
  kind: z.string().min(1).max(60).describe('training, endpoint, vector-store, subscription, or a word of your own.'),
  provider: z.string().max(60).optional(),
  note: z.string().max(300).optional(),
  tags: z.record(z.string().min(1).max(64), z.string().max(200)).optional(),
});

const wanted = z.strictObject({
  entries: z.array(entry).min(1).max(entriesMax),
  import: z.string().max(64).optional().describe('Names an import: the same entries under the same name count once.'),
});

export const otherCostRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/admin/costs',
    access: 'admin',
    summary: 'Costs that no request made: training, endpoint hours, vector stores, subscriptions',
    query: { from: 'Since: 30d, 2026-01-01', to: 'Until, excluded' },
    answers: '{ data: [{ id, from, to, amount, kind, provider, note, tags }], total }',
    handle: async (ask, parts) => {
      const entries = await parts.store.otherCosts(spanOf(ask.query, parts.clock.now()));
      return ok({ currency: 'USD', data: entries.map(shown), total: usd(sum(entries, (each) => each.amount)) });
    },
  },
  {
    method: 'POST',
    path: '/admin/costs',
    access: 'admin',
    summary: 'Enter such costs; all of them or none',
    body: wanted,
    answers: '{ added, known, data }',
    handle: async (ask, parts) => {
      const { entries, import: name } = ask.body as z.infer<typeof wanted>;
      const made = entries.map((each, index) => entryOf(each, index, name, parts));
      const added = await parts.store.addOtherCosts(made);
      return ok({ added, known: made.length - added, data: made.map(shown) }, 201);
    },
  },
  {
    method: 'DELETE',
    path: '/admin/costs/{id}',
    access: 'admin',
    summary: 'Take such a cost out again',
    answers: '{ removed }',
    handle: async (ask, parts) => {
      if (await parts.store.removeOtherCost(ask.params.id ?? '')) return ok({ removed: ask.params.id });
      throw new Refusal('unknown_path', 'There is no cost with this id.');
    },
  },
];

function entryOf(each: z.infer<typeof entry>, index: number, name: string | undefined, parts: AdminParts): OtherCost {
  const { from, to = from, kind, provider = '', note = '', tags = {} } = each;
  const refuse = (field: string, why: string): never => {
    throw new Refusal('invalid_request', `entries.${index}.${field}: ${why}`, { param: `entries.${index}.${field}` });
  };
  const amount = parseUsd(each.amount) ?? refuse('amount', 'must be an amount such as 49.90 USD, at most 9 decimals');
  const days = (Date.parse(to) - Date.parse(from)) / dayMs + 1;
  if (days < 1) refuse('to', 'must not be before from');
  if (days > daysMax) refuse('to', `must be at most ${daysMax} days after from`);
  const body = { from, to, amount, kind, provider, note, tags };
  const id =
    name === undefined
      ? parts.random.bytes(9).toString('base64url')
      : createHash('sha256')
          .update(JSON.stringify([name, index, body]))
          .digest('base64url')
          .slice(0, 22);
  return { id: `cost_${id}`, ...body };
}

function spanOf(query: URLSearchParams, now: number): { from?: number; to?: number } {
  const [from, to] = [moment(query, 'from', now), moment(query, 'to', now)];
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

function shown({ amount, ...rest }: OtherCost): Record<string, unknown> {
  return { ...rest, amount: formatUsd(amount), amount_nano_usd: amount };
}

function sum(entries: readonly OtherCost[], of: (entry: OtherCost) => NanoUsd): NanoUsd {
  return entries.reduce((total, each) => total + of(each), 0);
}

/** What of these costs falls into a span: each spread evenly over its days, whole days (UTC) counted. */
export async function otherCostsIn(
  parts: AdminParts,
  span: { readonly from?: number; readonly to?: number; readonly provider?: string },
): Promise<Record<string, unknown>> {
  const all = await parts.store.otherCosts(span);
  const entries = span.provider === undefined ? all : all.filter((each) => each.provider === span.provider);
  const share = (each: OtherCost): NanoUsd => shareOf(each, span.from, span.to);
  const kinds = [...new Set(entries.map((each) => each.kind))].sort();
  const total = sum(entries, share);
  return {
    total: usd(total),
    total_nano_usd: total,
    by_kind: kinds.map((kind) => {
      const own = entries.filter((each) => each.kind === kind);
      return { kind, entries: own.length, cost: usd(sum(own, share)) };
    }),
  };
}

/** Rounded down at both ends of a part, so that the parts of a cost never add up to more than it. */
export function shareOf({ from, to, amount }: OtherCost, start = 0, end = Number.MAX_SAFE_INTEGER): NanoUsd {
  const first = Date.parse(from);
  const days = Math.round((Date.parse(to) - first) / dayMs) + 1;
  const daysBefore = (at: number): number => Math.min(days, Math.max(0, Math.ceil((at - first) / dayMs)));
  const upTo = (at: number): bigint => (BigInt(amount) * BigInt(daysBefore(at))) / BigInt(days);
  return Number(upTo(end) - upTo(start));
}
