// The data plane's questions that reach no provider: which models a key may use, and what it has left.

import type { Caller } from './exchange/caller.ts';
import type { Ingress } from './exchange/ingress.ts';
import { formatUsd, type NanoUsd } from './exchange/money.ts';
import { readClaims } from './identify/claims.ts';
import { readAsks } from './listen/asks.ts';
import type { Rooms } from './rooms.ts';

export function answerQuestion(rooms: Rooms, ingress: Ingress, caller: Caller): void {
  const body = ingress.surface.kind === 'models' ? models(rooms, ingress, caller) : budget(rooms, ingress, caller);
  ingress.reply.send(
    200,
    { 'content-type': 'application/json', 'x-tollgate-request-id': ingress.id },
    JSON.stringify(body),
  );
}

/** `GET /v1/models` in the dialect of the client: Anthropic's SDK says so by header, Gemini's by path. */
function models(rooms: Rooms, ingress: Ingress, caller: Caller): unknown {
  const list = rooms.route.models(caller, rooms.policy());
  if (ingress.surface.format === 'gemini-generate')
    return {
      models: list.map(({ id }) => ({
        name: `models/${id}`,
        displayName: id,
        supportedGenerationMethods: ['generateContent', 'streamGenerateContent'],
      })),
    };
  if (ingress.headers['anthropic-version'] !== undefined)
    return {
      data: list.map(({ id }) => ({ type: 'model', id, display_name: id, created_at: '1970-01-01T00:00:00Z' })),
      has_more: false,
      first_id: list[0]?.id ?? null,
      last_id: list.at(-1)?.id ?? null,
    };
  return { object: 'list', data: list.map(({ id, owned_by }) => ({ id, object: 'model', created: 0, owned_by })) };
}

/**
 * `GET /v1/budget`: the key's own budgets, and those of the run and tags that the same headers name as on a request. What
 * its team or organisation has left is what others spend too, and not for a key to know.
 */
function budget(rooms: Rooms, ingress: Ingress, caller: Caller): unknown {
  const claims = readClaims(readAsks(ingress.headers), caller);
  const budgets = rooms.budget.own(caller, claims.scopes, rooms.budgets()).map((balance) => ({
    scope: balance.scope,
    per: balance.per,
    limit_usd: dollars(balance.limit),
    posted_usd: dollars(balance.posted),
    held_usd: dollars(balance.held),
    remaining_usd: dollars(Math.max(0, balance.available)),
    resets_at: balance.resetsAt === undefined ? null : new Date(balance.resetsAt).toISOString(),
  }));
  const [tightest] = [...budgets].sort((one, other) => one.remaining_usd - other.remaining_usd);
  if (!tightest) return { object: 'budget', limited: false, budgets };
  const { scope, limit_usd, remaining_usd, resets_at } = tightest;
  return { object: 'budget', limited: true, scope, limit_usd, remaining_usd, resets_at, budgets };
}

function dollars(nano: NanoUsd): number {
  return Number(formatUsd(nano));
}
