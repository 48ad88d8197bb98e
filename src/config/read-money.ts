// The sections `budgets` and `limits`: rules of the snapshot, every amount an exact integer.

import { parseUsd } from '../exchange/money.ts';
import type { BudgetRule, LimitRule } from '../exchange/policy.ts';
import { budgetIdentity, scopeKinds, scopeProblem } from '../exchange/scope.ts';
import type { Findings, Path } from './problems.ts';
import type { ConfigFile } from './schema.ts';
import { nearest } from './suggest.ts';
import { isTimeZone, parseShare } from './units.ts';

/** What holds where nobody wrote a budget: a forgotten loop costs five dollars and not a month's wages. */
export const defaultBudgets: readonly BudgetRule[] = [
  { scope: 'global', limit: 5_000_000_000, per: 'day', timezone: 'UTC', alertAt: [] },
];

export function readBudgets(section: NonNullable<ConfigFile['budgets']>, findings: Findings): BudgetRule[] {
  const seen = new Set<string>();
  return section.map((entry, index) => {
    const path: Path = ['budgets', index];
    readScope(entry.scope, path, findings);
    const limit = parseUsd(entry.limit);
    if (limit === undefined) {
      findings.problem(
        [...path, 'limit'],
        'must be an amount such as 20 USD, 0.50 USD or 20, at most 9007199 USD and 9 decimals',
      );
    }
    const timezone = entry.timezone ?? 'UTC';
    if (!isTimeZone(timezone)) findings.problem([...path, 'timezone'], 'must be an IANA zone such as Europe/Berlin');
    const alertAt = (entry.alert_at ?? []).map((share, position) => {
      const read = parseShare(share);
      if (read === undefined) findings.problem([...path, 'alert_at', position], 'must be a share such as 80% or 0.8');
      return read ?? 1;
    });
    const identity = budgetIdentity({ ...entry, timezone });
    if (seen.has(identity)) findings.problem(path, `a second budget for ${entry.scope} per ${entry.per}`);
    seen.add(identity);
    return {
      scope: entry.scope,
      limit: limit ?? 0,
      per: entry.per,
      timezone,
      alertAt,
      ...(entry.soft === true ? { soft: true } : {}),
      ...(entry.on_exhausted === undefined ? {} : { onExhausted: entry.on_exhausted }),
    };
  });
}

export function readLimits(section: NonNullable<ConfigFile['limits']>, findings: Findings): LimitRule[] {
  return section.map((entry, index) => {
    const path: Path = ['limits', index];
    readScope(entry.scope, path, findings);
    const { requests, tokens, concurrency } = entry;
    if (requests === undefined && tokens === undefined && concurrency === undefined) {
      findings.problem(path, 'limits nothing: give requests, tokens or concurrency');
    }
    return {
      scope: entry.scope,
      per: entry.per ?? 'minute',
      ...(requests === undefined ? {} : { requests }),
      ...(tokens === undefined ? {} : { tokens }),
      ...(concurrency === undefined ? {} : { concurrency }),
    };
  });
}

function readScope(scope: string, path: Path, findings: Findings): void {
  const problem = scopeProblem(scope);
  if (!problem) return;
  const { message, unknownKind } = problem;
  findings.problem(
    [...path, 'scope'],
    message,
    unknownKind === undefined ? undefined : nearest(unknownKind, scopeKinds),
  );
}
