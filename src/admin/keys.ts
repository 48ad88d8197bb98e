// Virtual keys: listing, minting, changing, revoking. A key is shown once, in the answer that makes it.

import { z } from 'zod';
import type { ClaimRules, KeyRecord } from '../exchange/caller.ts';
import { formatUsd } from '../exchange/money.ts';
import { Refusal } from '../exchange/refusal.ts';
import { isClaimedName, isTagName } from '../exchange/scope.ts';
import { amount, period, tier } from './amount.ts';
import type { AdminParts, KeyWants } from './parts.ts';
import { ok, type Route } from './route.ts';
import { instant } from './show.ts';

const budget = z.strictObject({ limit: amount, per: period });

const name = z.string().trim().min(1).max(200);
const allowedModels = z.array(z.string().min(1).max(300)).max(1000);
const expiresAt = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

const claimed = z.string().refine(isClaimedName, 'must have 1 to 256 characters, all of which can be seen');
const tags = z.record(z.string().refine(isTagName, 'must be letters, digits and . : / - _'), claimed);
/** Rid of what is absent: a key that is undefined is not a key that is not there. */
const claims = z
  .strictObject({
    forbid: z.array(z.enum(['run', 'tag', 'end_user'])).optional(),
    pin: z.strictObject({ run: claimed.optional(), end_user: claimed.optional(), tag: tags.optional() }).optional(),
  })
  .transform((given) => JSON.parse(JSON.stringify(given)) as ClaimRules);
const owner = z.string().max(200);

const creation = z.strictObject({
  name,
  budget: budget.optional(),
  allowed_models: allowedModels.optional(),
  expires_at: expiresAt.optional(),
  owner: owner.optional(),
  claims: claims.optional(),
  tier: tier.optional(),
});

/** null takes a budget, an expiry, an owner, claims or a tier away. */
const change = z.strictObject({
  name: name.optional(),
  budget: budget.nullable().optional(),
  allowed_models: allowedModels.optional(),
  expires_at: expiresAt.nullable().optional(),
  owner: owner.nullable().optional(),
  claims: claims.nullable().optional(),
  tier: tier.nullable().optional(),
});

export const keyRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/admin/keys',
    access: 'admin',
    summary: 'All virtual keys, newest first, without the keys themselves',
    answers: '{ data: [key] }',
    handle: (_, parts) => {
      const records = [...parts.identify.list()].sort((one, other) => other.createdAt - one.createdAt);
      return ok({ data: records.map((record) => shown(record, parts.clock.now())) });
    },
  },
  {
    method: 'POST',
    path: '/admin/keys',
    access: 'admin',
    summary: 'Makes a key; `key` in the answer is shown this once',
    body: creation,
    answers: '{ id, key, name, … }',
    handle: async (ask, parts) => {
      const wants = wantsOf(ask.body as z.infer<typeof creation>, parts);
      const { record, key } = parts.identify.mint(parts.random, wants);
      // Stored before it works: a key that was handed out must survive a crash.
      await parts.store.saveKey(record);
      parts.identify.add(record);
      parts.log.info('key_created', { id: record.id, name: record.name });
      return ok({ ...shown(record, parts.clock.now()), key }, 201);
    },
  },
  {
    method: 'GET',
    path: '/admin/keys/{id}',
    access: 'admin',
    summary: 'One key',
    answers: 'key',
    handle: (ask, parts) => ok(shown(find(parts, ask.params.id), parts.clock.now())),
  },
  {
    method: 'PATCH',
    path: '/admin/keys/{id}',
    access: 'admin',
    summary: 'Changes name, budget, allowed models, expiry, owner, claims or tier; acts at once',
    body: change,
    answers: 'key',
    handle: async (ask, parts) => {
      const now = parts.clock.now();
      const before = find(parts, ask.params.id);
      const record = changed(before, ask.body as z.infer<typeof change>, parts);
      // In force before it is stored: whoever changes or revokes the key meanwhile starts from this record.
      parts.identify.add(record);
      try {
        await parts.store.saveKey(record);
      } catch (error) {
        if (find(parts, record.id) === record) parts.identify.add(before);
        throw error;
      }
      parts.log.info('key_changed', { id: record.id, name: record.name });
      return ok(shown(record, now));
    },
  },
  {
    method: 'DELETE',
    path: '/admin/keys/{id}',
    access: 'admin',
    summary: 'Revokes a key at once; it stays in the list and its receipts stay readable',
    answers: 'key',
    handle: async (ask, parts) => {
      const id = find(parts, ask.params.id).id;
      // Revoked before it is stored: should the disk fail, the key is dead here and the caller hears of the rest.
      const record = parts.identify.revoke(id, parts.clock.now()) ?? find(parts, id);
      await parts.store.saveKey(record);
      parts.log.info('key_revoked', { id, name: record.name });
      return ok(shown(record, parts.clock.now()));
    },
  },
];

function find(parts: AdminParts, id: string | undefined): KeyRecord {
  const record = parts.identify.list().find((candidate) => candidate.id === id);
  if (record) return record;
  throw new Refusal('unknown_path', `There is no key with the id ${JSON.stringify((id ?? '').slice(0, 80))}.`);
}

function wantsOf(body: z.infer<typeof creation>, parts: AdminParts): KeyWants {
  if (body.expires_at !== undefined) refusePast(body.expires_at, parts.clock.now());
  if (body.owner !== undefined) refuseUnknownOwner(body.owner, parts);
  return {
    name: body.name,
    ...(body.budget ? { budget: body.budget } : {}),
    ...(body.allowed_models ? { allowedModels: body.allowed_models } : {}),
    ...(body.expires_at === undefined ? {} : { expiresAt: body.expires_at }),
    ...(body.owner === undefined ? {} : { owner: body.owner }),
    ...(body.claims === undefined ? {} : { claims: body.claims }),
    ...(body.tier === undefined ? {} : { tier: body.tier }),
  };
}

function changed(record: KeyRecord, body: z.infer<typeof change>, parts: AdminParts): KeyRecord {
  if (record.revokedAt !== undefined) {
    const message = `This key was revoked at ${instant(record.revokedAt)}; make a new one.`;
    throw new Refusal('invalid_request', message, { status: 409 });
  }
  if (typeof body.expires_at === 'number') refusePast(body.expires_at, parts.clock.now());
  if (typeof body.owner === 'string') refuseUnknownOwner(body.owner, parts);
  const { budget, expiresAt, owner, claims, tier, ...rest } = record;
  return {
    ...rest,
    name: body.name ?? record.name,
    allowedModels: body.allowed_models ?? record.allowedModels,
    ...set('budget', body.budget, budget),
    ...set('expiresAt', body.expires_at, expiresAt),
    ...set('owner', body.owner, owner),
    ...set('claims', body.claims, claims),
    ...set('tier', body.tier, tier),
  };
}

/** What is not said stays, null takes away. */
function set<Name extends string, Value>(
  name: Name,
  said: Value | null | undefined,
  before: Value | undefined,
): { [N in Name]?: Value } {
  const value = said === undefined ? before : said;
  return (value === undefined || value === null ? {} : { [name]: value }) as { [N in Name]?: Value };
}

function refuseUnknownOwner(owner: string, { identify }: AdminParts): void {
  if (identify.units().some(({ kind, id }) => `${kind}:${id}` === owner)) return;
  throw new Refusal(
    'invalid_request',
    `owner: there is no unit ${JSON.stringify(owner)}; make it with tollgate unit create ${owner}, or at /admin/units.`,
    { param: 'owner' },
  );
}

function refusePast(expiresAt: number, now: number): void {
  if (expiresAt > now) return;
  throw new Refusal('invalid_request', 'expires_at lies in the past.', { param: 'expires_at' });
}

function shown(record: KeyRecord, now: number): Record<string, unknown> {
  const expired = record.expiresAt !== undefined && record.expiresAt <= now;
  return {
    id: record.id,
    name: record.name,
    hint: record.hint,
    status: record.revokedAt !== undefined ? 'revoked' : expired ? 'expired' : 'active',
    budget: record.budget ? { limit: `${formatUsd(record.budget.limit)} USD`, per: record.budget.per } : null,
    allowed_models: record.allowedModels,
    owner: record.owner ?? null,
    claims: record.claims ?? null,
    tier: record.tier ?? null,
    created_at: instant(record.createdAt),
    expires_at: instant(record.expiresAt) ?? null,
    revoked_at: instant(record.revokedAt) ?? null,
  };
}
