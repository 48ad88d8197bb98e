// How a budget and the accounts that it limits are shown in the control plane.

import { createHash } from 'node:crypto';
import type { Balance } from '../exchange/hold.ts';
import { formatUsd } from '../exchange/money.ts';
import { budgetIdentity } from '../exchange/scope.ts';
import type { AdminBudget } from './parts.ts';
import { instant, usd } from './show.ts';

/** A budget of the file has an id too, so that it can be looked at; it is made of what cannot change about it. */
export function idOf({ rule, source, record }: AdminBudget): string {
  return record?.id ?? `${source}-${createHash('sha256').update(budgetIdentity(rule)).digest('hex').slice(0, 10)}`;
}

export function shown(budget: AdminBudget, now: number): Record<string, unknown> {
  const { rule, source, record } = budget;
  const raised = record?.raise && record.raise.until > now ? record.raise : undefined;
  return {
    id: idOf(budget),
    source,
    read_only: source !== 'api',
    scope: rule.scope,
    limit: `${formatUsd(record?.limit ?? rule.limit)} USD`,
    per: rule.per,
    timezone: rule.timezone,
    alert_at: rule.alertAt,
    soft: rule.soft ?? false,
    on_exhausted: rule.onExhausted ?? 'error',
    raise: raised ? { limit: `${formatUsd(raised.limit)} USD`, until: instant(raised.until) } : null,
    created_at: instant(record?.createdAt) ?? null,
  };
}

export function account(balance: Balance, budget: AdminBudget | undefined): Record<string, unknown> {
  return {
    id: budget ? idOf(budget) : null,
    source: budget?.source ?? null,
    budget: balance.rule?.scope ?? null,
    scope: balance.scope,
    per: balance.per,
    timezone: balance.rule?.timezone ?? 'UTC',
    soft: balance.rule?.soft ?? false,
    limit: usd(balance.limit),
    posted: usd(balance.posted),
    held: usd(balance.held),
    available: usd(balance.available),
    available_nano_usd: balance.available,
    resets_at: instant(balance.resetsAt) ?? null,
  };
}
