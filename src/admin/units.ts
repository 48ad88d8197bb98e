// Organisations, teams, users and service identities through the control plane.

import { z } from 'zod';
import type { Unit } from '../exchange/caller.ts';
import { Refusal } from '../exchange/refusal.ts';
import { tier } from './amount.ts';
import type { AdminParts } from './parts.ts';
import { ok, type Route } from './route.ts';
import { instant } from './show.ts';

const parent = z.string().max(200);
const name = z.string().trim().min(1).max(200);

const creation = z.strictObject({
  kind: z.enum(['org', 'team', 'user', 'service']),
  id: z.string().min(1).max(128),
  name: name.optional(),
  parent: parent.optional(),
  tier: tier.optional(),
});

/** null takes the parent or the tier away. */
const change = z.strictObject({
  name: name.optional(),
  parent: parent.nullable().optional(),
  tier: tier.nullable().optional(),
});

export const unitRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/admin/units',
    access: 'admin',
    summary: 'Organisations, teams, users and service identities, and which stands under which',
    answers: '{ data: [{ scope, kind, id, name, parent, tier, keys, created_at }] }',
    handle: (_, parts) => {
      const units = [...parts.identify.units()].sort((one, other) => (scopeOf(one) < scopeOf(other) ? -1 : 1));
      const keys = keysByOwner(parts);
      return ok({ data: units.map((unit) => shown(unit, keys)) });
    },
  },
  {
    method: 'POST',
    path: '/admin/units',
    access: 'admin',
    summary: 'Makes an organisation, team, user or service identity',
    body: creation,
    answers: 'unit',
    handle: async (ask, parts) => {
      const { kind, id, name = id, parent, tier } = ask.body as z.infer<typeof creation>;
      const unit: Unit = {
        kind,
        id,
        name,
        ...(parent === undefined ? {} : { parent }),
        ...(tier === undefined ? {} : { tier }),
        createdAt: parts.clock.now(),
      };
      if (parts.identify.units().some((each) => scopeOf(each) === scopeOf(unit)))
        throw new Refusal('invalid_request', `There is a unit ${scopeOf(unit)} already.`, { status: 409 });
      await keep(unit, parts, undefined);
      parts.log.info('unit_created', { unit: scopeOf(unit) });
      return ok(shown(unit, keysByOwner(parts)), 201);
    },
  },
  {
    method: 'GET',
    path: '/admin/units/{scope}',
    access: 'admin',
    summary: 'One unit, by its scope: team:search',
    answers: 'unit',
    handle: (ask, parts) => ok(shown(find(parts, ask.params.scope), keysByOwner(parts))),
  },
  {
    method: 'PATCH',
    path: '/admin/units/{scope}',
    access: 'admin',
    summary: 'Renames a unit, or puts it and all below it under another',
    body: change,
    answers: 'unit',
    handle: async (ask, parts) => {
      const before = find(parts, ask.params.scope);
      const body = ask.body as z.infer<typeof change>;
      const { parent: oldParent, tier: oldTier, ...rest } = before;
      const nextParent = body.parent === undefined ? oldParent : (body.parent ?? undefined);
      const nextTier = body.tier === undefined ? oldTier : (body.tier ?? undefined);
      const unit: Unit = {
        ...rest,
        name: body.name ?? before.name,
        ...(nextParent === undefined ? {} : { parent: nextParent }),
        ...(nextTier === undefined ? {} : { tier: nextTier }),
      };
      await keep(unit, parts, before);
      parts.log.info('unit_changed', { unit: scopeOf(unit) });
      return ok(shown(unit, keysByOwner(parts)));
    },
  },
  {
    method: 'DELETE',
    path: '/admin/units/{scope}',
    access: 'admin',
    summary: 'Removes a unit that no other unit and no key in use stands under',
    answers: 'unit',
    handle: async (ask, parts) => {
      const unit = find(parts, ask.params.scope);
      const answer = shown(unit, keysByOwner(parts));
      parts.identify.removeUnit(scopeOf(unit));
      try {
        await parts.store.removeUnit(unit);
      } catch (error) {
        parts.identify.addUnit(unit);
        throw error;
      }
      parts.log.info('unit_removed', { unit: scopeOf(unit) });
      return ok(answer);
    },
  },
];

/** In force first: whether it may be is known there alone. Taken back where it cannot be stored. */
async function keep(unit: Unit, { identify, store }: AdminParts, before: Unit | undefined): Promise<void> {
  const { kind, name } = unit;
  const other = identify.units().find((each) => each.kind === kind && each.name === name && each.id !== unit.id);
  if (other)
    throw new Refusal('invalid_request', `${scopeOf(other)} is named ${JSON.stringify(name)} already.`, {
      status: 409,
      param: 'name',
    });
  identify.addUnit(unit);
  try {
    await store.saveUnit(unit);
  } catch (error) {
    if (before) identify.addUnit(before);
    else identify.removeUnit(scopeOf(unit));
    throw error;
  }
}

function find(parts: AdminParts, scope: string | undefined): Unit {
  const found = parts.identify.units().find((unit) => scopeOf(unit) === scope);
  if (found) return found;
  throw new Refusal('unknown_path', `There is no unit ${JSON.stringify((scope ?? '').slice(0, 200))}.`);
}

function scopeOf({ kind, id }: Unit): string {
  return `${kind}:${id}`;
}

/** How many keys in use each unit has itself. */
function keysByOwner({ identify }: AdminParts): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { owner, revokedAt } of identify.list()) {
    if (owner !== undefined && revokedAt === undefined) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  }
  return counts;
}

function shown(unit: Unit, keys: ReadonlyMap<string, number>): Record<string, unknown> {
  const scope = scopeOf(unit);
  return {
    scope,
    kind: unit.kind,
    id: unit.id,
    name: unit.name,
    parent: unit.parent ?? null,
    tier: unit.tier ?? null,
    keys: keys.get(scope) ?? 0,
    created_at: instant(unit.createdAt),
  };
}
