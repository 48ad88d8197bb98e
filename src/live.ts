// The budgets of this moment: what the file declares and what the control plane made, as one list that every admission
// and top-up reads.

import type { Loaded } from './config/config.ts';
import { ConfigError } from './config/problems.ts';
import { defaultBudgets } from './config/read-money.ts';
import type { BudgetRecord } from './exchange/caller.ts';
import type { BudgetRule } from './exchange/policy.ts';
import { budgetIdentity } from './exchange/scope.ts';

export interface LiveBudgets {
  /** The same array until something changes. */
  rules(): readonly BudgetRule[];
  /** The same budgets, each with where it comes from. */
  list(): readonly LiveBudget[];
  records(): readonly BudgetRecord[];
  /** Adds a record or replaces the one of its id. It holds from the next admission or top-up. */
  put(record: BudgetRecord): void;
  remove(id: string): void;
  /** All records, as the store has them; the list stays the same one where nothing is new. */
  replace(records: readonly BudgetRecord[]): void;
}

export interface LiveBudget {
  readonly rule: BudgetRule;
  readonly source: 'file' | 'default' | 'api';
  /** Of those that the control plane made. */
  readonly record?: BudgetRecord;
}

export function createLiveBudgets(
  declared: () => readonly BudgetRule[],
  now: () => number,
  stored: readonly BudgetRecord[],
): LiveBudgets {
  const records = new Map(stored.map((record) => [record.id, record]));
  let merged: { file: readonly BudgetRule[]; list: LiveBudget[]; rules: BudgetRule[]; until: number } | undefined;

  const current = (): { list: readonly LiveBudget[]; rules: readonly BudgetRule[] } => {
    const file = declared();
    const at = now();
    if (merged && merged.file === file && at < merged.until) return merged;
    const made = [...records.values()].map(
      (record): LiveBudget => ({ rule: ruleOf(record, at), source: 'api', record }),
    );
    const isDefault = file === defaultBudgets;
    // The default stands in for an operator who has said nothing of the whole; who has is taken at the word.
    const replaced = isDefault && made.some(({ rule }) => rule.scope === 'global' && !rule.soft);
    const source = isDefault ? 'default' : 'file';
    const list = [...(replaced ? [] : file).map((rule): LiveBudget => ({ rule, source })), ...made];
    const ends = [...records.values()].flatMap(({ raise }) => (raise && raise.until > at ? [raise.until] : []));
    merged = { file, list, rules: list.map(({ rule }) => rule), until: Math.min(...ends, Number.POSITIVE_INFINITY) };
    return merged;
  };
  const changed = (): void => {
    merged = undefined;
  };

  return {
    rules: () => current().rules,
    list: () => current().list,
    records: () => [...records.values()],
    put(record) {
      records.set(record.id, record);
      changed();
    },
    remove(id) {
      records.delete(id);
      changed();
    },
    replace(all) {
      if (JSON.stringify(all) === JSON.stringify([...records.values()])) return;
      records.clear();
      for (const record of all) records.set(record.id, record);
      changed();
    },
  };
}

/** Throws `ConfigError` where the file declares a budget that the control plane made too: one of them would be believed in vain. */
export function refuseCollisions(
  { snapshot, locate }: Loaded,
  fileName: string,
  records: readonly BudgetRecord[],
): void {
  if (snapshot.budgets === defaultBudgets) return;
  const made = new Map(records.map((record) => [budgetIdentity(record), record]));
  const problems = snapshot.budgets.flatMap((rule, index) => {
    const record = made.get(budgetIdentity(rule));
    if (!record) return [];
    const message = `${rule.scope} per ${rule.per} has a budget that was made through the API (${record.id}); remove that one first: tollgate budget remove ${record.id}`;
    return [{ ...locate(['budgets', index]), key: `budgets[${index}]`, message }];
  });
  if (problems.length > 0) throw new ConfigError(fileName, problems);
}

function ruleOf(record: BudgetRecord, now: number): BudgetRule {
  const { scope, limit, per, timezone, alertAt, soft, onExhausted, raise } = record;
  return {
    scope,
    limit: raise && now < raise.until ? Math.max(limit, raise.limit) : limit,
    per,
    timezone,
    alertAt,
    ...(soft ? { soft } : {}),
    ...(onExhausted ? { onExhausted } : {}),
  };
}
