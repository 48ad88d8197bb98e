// The data plane's questions that reach no provider: which models a key may use, and what it has left.

import type { Caller } from './exchange/caller.ts';
import type { Ingress } from './exchange/ingress.ts';
import type { Rooms } from './rooms.ts';

export function answerQuestion(rooms: Rooms, ingress: Ingress, caller: Caller): void {
  const body = ingress.surface.kind === 'models' ? models(rooms, ingress, caller) : budget(rooms, caller);
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

function budget(rooms: Rooms, caller: Caller): unknown {
  const own = rooms.budget.remaining(caller, rooms.budgets());
  if (!own) return { object: 'budget', limited: false };
  return {
    object: 'budget',
    limited: true,
    scope: own.scope,
    limit_usd: own.limit / 1e9,
    remaining_usd: Math.max(0, own.remaining) / 1e9,
    resets_at: own.resetsAt === undefined ? null : new Date(own.resetsAt).toISOString(),
  };
}
