// Budgets through the control plane: what a file declares is shown and read-only, what is made here lives in the store.

import { z } from 'zod';
import { nearest } from '../config/suggest.ts';
import { isTimeZone, parseShare } from '../config/units.ts';
import type { BudgetRecord } from '../exchange/caller.ts';
import { formatUsd } from '../exchange/money.ts';
import { Refusal } from '../exchange/refusal.ts';
import { budgetIdentity, scopeKinds, scopeProblem } from '../exchange/scope.ts';
import { amount, period } from './amount.ts';
import { account, idOf, shown } from './budget-view.ts';
import { notThereYet, refuseUnknownKey } from './named-scope.ts';
import type { AdminBudget, AdminParts } from './parts.ts';
import { ok, type Route } from './route.ts';

const scope = z
  .string()
  .max(400)
  .superRefine((text, context) => {
    const problem = scopeProblem(text);
    if (!problem) return;
    const meant = problem.unknownKind === undefined ? undefined : nearest(problem.unknownKind, scopeKinds);
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
    context.addIssue({ code: 'custom', message: problem.message + hint });
  });
const share = z
  .union([z.string(), z.number()])
  .refine((value) => parseShare(value) !== undefined, 'must be a share such as "80%" or 0.8')
  .transform((value) => parseShare(value) ?? 1);
const until = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const raise = z.strictObject({ limit: amount, until });

const settings = {
  alert_at: z.array(share).max(20).optional(),
  soft: z.boolean().optional(),
  on_exhausted: z.enum(['error', 'finish']).optional(),
};

const creation = z.strictObject({
  scope,
  limit: amount,
  per: period,
  timezone: z.string().refine(isTimeZone, 'must be an IANA zone such as Europe/Berlin').optional(),
  ...settings,
  raise: raise.optional(),
});

/** null takes a raise away. */
const change = z.strictObject({ limit: amount.optional(), ...settings, raise: raise.nullable().optional() });

type Change = z.infer<typeof change>;

export const budgetRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/admin/budgets',
    access: 'admin',
    summary: 'Every budget, and every account that one limits with what is posted, held and available',
    answers:
      '{ data: [{ id, source, scope, per, limit, posted, held, available, resets_at, … }], budgets: [{ id, source, scope, limit, per, timezone, raise, … }] }',
    handle: (_, parts) => {
      const now = parts.clock.now();
      const live = parts.budgets.list();
      const byRule = new Map(live.map((each) => [each.rule, each]));
      return ok({
        currency: 'USD',
        data: parts.balances().map((balance) => account(balance, balance.rule && byRule.get(balance.rule))),
        budgets: live.map((each) => shown(each, now)),
      });
    },
  },
  {
    method: 'POST',
    path: '/admin/budgets',
    access: 'admin',
    summary: 'Makes a budget; it holds from the next admission or top-up',
    body: creation,
    answers: 'budget; with note where what its scope names is not there yet',
    handle: async (ask, parts) => {
      const record = recordOf(ask.body as z.infer<typeof creation>, parts);
      refuseUnknownKey(record.scope, parts);
      refuseSecond(record, parts.budgets.list());
      // In force before it is stored: it only adds a limit, and two that come at once see each other.
      parts.budgets.put(record);
      try {
        await parts.store.saveBudget(record);
      } catch (error) {
        parts.budgets.remove(record.id);
        throw error;
      }
      // A reading of the store that began before may have taken it away for a moment.
      parts.budgets.put(record);
      parts.log.info('budget_created', { id: record.id, scope: record.scope, limit: record.limit, per: record.per });
      const note = notThereYet(record.scope, parts);
      return ok({ ...shown(find(parts, record.id), parts.clock.now()), ...(note === undefined ? {} : { note }) }, 201);
    },
  },
  {
    method: 'GET',
    path: '/admin/budgets/{id}',
    access: 'admin',
    summary: 'One budget with the accounts that it limits',
    answers: 'budget with accounts',
    handle: (ask, parts) => {
      const budget = find(parts, ask.params.id);
      const accounts = parts.balances().filter(({ rule }) => rule === budget.rule);
      return ok({
        ...shown(budget, parts.clock.now()),
        accounts: accounts.map((balance) => account(balance, budget)),
      });
    },
  },
  {
    method: 'PATCH',
    path: '/admin/budgets/{id}',
    access: 'admin',
    summary: 'Changes a limit, or raises it until a moment; acts on what runs at its next top-up',
    body: change,
    answers: 'budget',
    handle: async (ask, parts) => {
      const before = recorded(find(parts, ask.params.id));
      const record = changed(before, ask.body as Change, parts.clock.now());
      // In force before it is stored: of two changes at once, the second starts from the first.
      parts.budgets.put(record);
      try {
        await parts.store.saveBudget(record);
      } catch (error) {
        if (inForce(parts, record)) parts.budgets.put(before);
        throw error;
      }
      parts.log.info('budget_changed', { id: record.id, scope: record.scope, limit: record.limit });
      return ok(shown(find(parts, record.id), parts.clock.now()));
    },
  },
  {
    method: 'DELETE',
    path: '/admin/budgets/{id}',
    access: 'admin',
    summary: 'Removes a budget; what was spent stays in the books',
    answers: 'budget',
    handle: async (ask, parts) => {
      const budget = find(parts, ask.params.id);
      const { id } = recorded(budget);
      await parts.store.removeBudget(id);
      parts.budgets.remove(id);
      parts.log.info('budget_removed', { id, scope: budget.rule.scope });
      return ok(shown(budget, parts.clock.now()));
    },
  },
];

function find(parts: AdminParts, id: string | undefined): AdminBudget {
  const found = parts.budgets.list().find((budget) => idOf(budget) === id);
  if (found) return found;
  throw new Refusal('unknown_path', `There is no budget with the id ${JSON.stringify((id ?? '').slice(0, 80))}.`);
}

function inForce({ budgets }: AdminParts, record: BudgetRecord): boolean {
  return budgets.list().some((budget) => budget.record === record);
}

function recorded({ record, rule, source }: AdminBudget): BudgetRecord {
  if (record) return record;
  const where =
    source === 'file'
      ? 'is declared in the configuration file; change it there'
      : 'is the default; make a budget for global, or write budgets: in the configuration';
  throw new Refusal('invalid_request', `The budget of ${rule.scope} per ${rule.per} ${where}.`, { status: 409 });
}

function refuseSecond(record: BudgetRecord, live: readonly AdminBudget[]): void {
  const identity = budgetIdentity(record);
  const same = live.find(({ rule, source }) => source !== 'default' && budgetIdentity(rule) === identity);
  if (!same) return;
  const where = same.source === 'file' ? 'is declared in the configuration file' : `is there already (${idOf(same)})`;
  throw new Refusal('invalid_request', `A budget of ${record.scope} per ${record.per} ${where}.`, {
    status: 409,
    param: 'scope',
  });
}

function recordOf(body: z.infer<typeof creation>, { random, clock }: AdminParts): BudgetRecord {
  const now = clock.now();
  refuseRaise(body.limit, body.raise ?? undefined, now);
  return {
    id: `b${random.bytes(8).toString('hex')}`,
    scope: body.scope,
    limit: body.limit,
    per: body.per,
    timezone: body.timezone ?? 'UTC',
    alertAt: body.alert_at ?? [],
    ...(body.soft ? { soft: true } : {}),
    ...(body.on_exhausted ? { onExhausted: body.on_exhausted } : {}),
    ...(body.raise ? { raise: body.raise } : {}),
    createdAt: now,
  };
}

function changed(record: BudgetRecord, body: Change, now: number): BudgetRecord {
  const { soft, onExhausted, raise: before, ...rest } = record;
  const limit = body.limit ?? record.limit;
  if (body.raise) refuseRaise(limit, body.raise, now);
  const nextRaise = body.raise === undefined ? before : (body.raise ?? undefined);
  const nextSoft = body.soft ?? soft;
  const ending = body.on_exhausted ?? onExhausted;
  return {
    ...rest,
    limit,
    alertAt: body.alert_at ?? record.alertAt,
    ...(nextSoft ? { soft: true } : {}),
    ...(ending ? { onExhausted: ending } : {}),
    // One that is over is history, and the log has it.
    ...(nextRaise && nextRaise.until > now ? { raise: nextRaise } : {}),
  };
}

function refuseRaise(limit: number, wanted: BudgetRecord['raise'], now: number): void {
  if (wanted === undefined) return;
  if (wanted.until <= now)
    throw new Refusal('invalid_request', 'raise.until lies in the past.', { param: 'raise.until' });
  if (wanted.limit <= limit)
    throw new Refusal('invalid_request', `raise.limit must be above the limit, ${formatUsd(limit)} USD.`, {
      param: 'raise.limit',
    });
}
