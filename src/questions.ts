// The data plane's questions that reach no provider: which models a key may use, and what it has left.

import type { Caller } from './exchange/caller.ts';
import type { Format } from './exchange/format.ts';
import type { Ingress } from './exchange/ingress.ts';
import { formatUsd, type NanoUsd } from './exchange/money.ts';
import { Refusal } from './exchange/refusal.ts';
import { readClaims } from './identify/claims.ts';
import { readAsks } from './listen/asks.ts';
import { guessFormat } from './listen/surfaces.ts';
import type { Rooms } from './rooms.ts';
import type { ModelEntry } from './route/route.ts';

export function answerQuestion(rooms: Rooms, ingress: Ingress, caller: Caller): void {
  const body = ingress.surface.kind === 'models' ? models(rooms, ingress, caller) : budget(rooms, ingress, caller);
  ingress.reply.send(
    200,
    { 'content-type': 'application/json', 'x-tollgate-request-id': ingress.id },
    JSON.stringify(body),
  );
}

/** How each client's SDK wants one model, and a list of them. */
interface Menu {
  one(entry: ModelEntry): object;
  all(models: readonly object[], list: readonly ModelEntry[]): object;
}

const menus: Readonly<Record<Format, Menu>> = {
  'openai-chat': {
    one: ({ id, owned_by }) => ({ id, object: 'model', created: 0, owned_by }),
    all: (models) => ({ object: 'list', data: models }),
  },
  'anthropic-messages': {
    one: ({ id }) => ({ type: 'model', id, display_name: id, created_at: '1970-01-01T00:00:00Z' }),
    all: (models, list) => ({
      data: models,
      has_more: false,
      first_id: list[0]?.id ?? null,
      last_id: list.at(-1)?.id ?? null,
    }),
  },
  'gemini-generate': {
    one: ({ id }) => ({
      name: `models/${id}`,
      displayName: id,
      supportedGenerationMethods: ['generateContent', 'streamGenerateContent'],
    }),
    all: (models) => ({ models }),
  },
};

/** `GET /v1/models`, and one of them by its name, in the dialect of the client: two SDKs share a path and say who they are by header. */
function models(rooms: Rooms, { surface, path, headers }: Ingress, caller: Caller): unknown {
  const list = rooms.route.models(caller, rooms.policy());
  const menu = menus[guessFormat(path, headers)];
  const { model } = surface;
  if (model === undefined) return menu.all(list.map(menu.one), list);
  const found = list.find(({ id }) => id === model) ?? list.find(({ id }) => id.slice(id.indexOf('/') + 1) === model);
  if (!found)
    throw new Refusal('unknown_model', `There is no model "${model}" for this key; GET /v1/models lists them.`);
  return menu.one({ ...found, id: model });
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
