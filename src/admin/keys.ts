// Virtual keys: listing, minting, changing, revoking. A key is shown once, in the answer that makes it.

import { z } from 'zod';
import type { KeyRecord } from '../exchange/caller.ts';
import { formatUsd, parseUsd } from '../exchange/money.ts';
import { Refusal } from '../exchange/refusal.ts';
import type { AdminParts, KeyWants } from './parts.ts';
import { ok, type Route } from './route.ts';
import { instant } from './show.ts';

const amount = z
  .union([z.string(), z.number()])
  .refine((value) => parseUsd(value) !== undefined, 'must be an amount such as "0.01 USD"')
  .transform((value) => parseUsd(value) ?? 0);

const budget = z.strictObject({
  limit: amount,
  per: z.enum(['minute', 'hour', 'day', 'week', 'month', 'lifetime']),
});

const name = z.string().trim().min(1).max(200);
const allowedModels = z.array(z.string().min(1).max(300)).max(1000);
const expiresAt = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

const creation = z.strictObject({
  name,
  budget: budget.optional(),
  allowed_models: allowedModels.optional(),
  expires_at: expiresAt.optional(),
});

/** null takes a budget or an expiry away. */
const change = z.strictObject({
  name: name.optional(),
  budget: budget.nullable().optional(),
  allowed_models: allowedModels.optional(),
  expires_at: expiresAt.nullable().optional(),
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
      const wants = wantsOf(ask.body as z.infer<typeof creation>, parts.clock.now());
      const { record, key } = parts.identify.mint(parts.random, wants);
      // Stored before it works: a key that was handed out must survive a crash.
      await parts.store.saveKey(record);
      parts.identify.add(record);
      parts.log.info('key-created', { id: record.id, name: record.name });
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
    summary: 'Changes name, budget, allowed models or expiry; acts at once',
    body: change,
    answers: 'key',
    handle: async (ask, parts) => {
      const now = parts.clock.now();
      const record = changed(find(parts, ask.params.id), ask.body as z.infer<typeof change>, now);
      await parts.store.saveKey(record);
      parts.identify.add(record);
      parts.log.info('key-changed', { id: record.id, name: record.name });
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
      parts.log.info('key-revoked', { id, name: record.name });
      return ok(shown(record, parts.clock.now()));
    },
  },
];

function find(parts: AdminParts, id: string | undefined): KeyRecord {
  const record = parts.identify.list().find((candidate) => candidate.id === id);
  if (record) return record;
  throw new Refusal('unknown_path', `There is no key with the id ${JSON.stringify((id ?? '').slice(0, 80))}.`);
}

function wantsOf(body: z.infer<typeof creation>, now: number): KeyWants {
  if (body.expires_at !== undefined) refusePast(body.expires_at, now);
  return {
    name: body.name,
    ...(body.budget ? { budget: body.budget } : {}),
    ...(body.allowed_models ? { allowedModels: body.allowed_models } : {}),
    ...(body.expires_at === undefined ? {} : { expiresAt: body.expires_at }),
  };
}

function changed(record: KeyRecord, body: z.infer<typeof change>, now: number): KeyRecord {
  if (record.revokedAt !== undefined) {
    throw new Refusal('invalid_request', 'This key is revoked; make a new one.', { status: 409 });
  }
  if (typeof body.expires_at === 'number') refusePast(body.expires_at, now);
  const { budget: oldBudget, expiresAt: oldExpiry, ...rest } = record;
  const nextBudget = body.budget === undefined ? oldBudget : (body.budget ?? undefined);
  const nextExpiry = body.expires_at === undefined ? oldExpiry : (body.expires_at ?? undefined);
  return {
    ...rest,
    name: body.name ?? record.name,
    allowedModels: body.allowed_models ?? record.allowedModels,
    ...(nextBudget ? { budget: nextBudget } : {}),
    ...(nextExpiry === undefined ? {} : { expiresAt: nextExpiry }),
  };
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
    created_at: instant(record.createdAt),
    expires_at: instant(record.expiresAt) ?? null,
    revoked_at: instant(record.revokedAt) ?? null,
  };
}
