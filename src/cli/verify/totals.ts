// What the reports should say, added up from receipts and corrections, and held against what they do say.

import type { CorrectionRow, Receipt } from '../../exchange/receipt.ts';
import type { Report } from './books.ts';

interface Line {
  readonly requests: number;
  readonly cost_nano_usd: number;
}

/** The answer of `/admin/analytics/costs`, as far as it is compared. */
export interface Costs {
  readonly total_cost_nano_usd: number;
  readonly total_requests: number;
  readonly by_model: readonly (Line & { readonly provider: string; readonly model: string })[];
  readonly by_key: readonly (Line & { readonly key_id: string })[];
  readonly by_day: readonly (Line & { readonly day: string })[];
}

interface Sum {
  requests: number;
  cost: number;
}

export interface Totals extends Report {
  readonly requests: number;
  readonly cost: number;
  /** What differs; empty where the reports say exactly this. */
  against(costs: Costs): string[];
}

/** `from`: receipts of before this epoch ms are not asked of the reports. */
export function createTotals(from: number): Totals {
  const all: Sum = { requests: 0, cost: 0 };
  const models = new Map<string, Sum>();
  const keys = new Map<string, Sum>();
  const days = new Map<string, Sum>();

  const add = (sums: Map<string, Sum>, name: string, requests: number, cost: number): void => {
    const sum = sums.get(name);
    if (!sum) sums.set(name, { requests, cost });
    else {
      sum.requests += requests;
      sum.cost += cost;
    }
  };

  return {
    get requests() {
      return all.requests;
    },
    get cost() {
      return all.cost;
    },
    receipt({ at, keyId, provider, model, cost, charges }: Receipt) {
      if (at < from) return;
      all.requests += 1;
      all.cost += cost;
      add(keys, keyId, 1, cost);
      add(days, dayOf(at), 1, cost);
      // The request counts where it was served, each charge where it was made.
      let rest = cost;
      for (const charge of charges) {
        add(models, `${charge.provider}/${charge.model}`, 0, charge.cost);
        rest -= charge.cost;
      }
      add(models, `${provider}/${model}`, 1, rest);
    },
    correction({ day, provider, model, amount }: CorrectionRow, keyId: string) {
      if (Date.parse(day) < from) return;
      all.cost += amount;
      add(keys, keyId, 0, amount);
      add(days, day, 0, amount);
      add(models, `${provider}/${model}`, 0, amount);
    },
    against(costs) {
      const differences: string[] = [];
      const total = { requests: costs.total_requests, cost_nano_usd: costs.total_cost_nano_usd };
      compare(differences, 'total', new Map([['', all]]), [['', total]]);
      compare(
        differences,
        'model',
        models,
        costs.by_model.map((line) => [`${line.provider}/${line.model}`, line]),
      );
      compare(
        differences,
        'key',
        keys,
        costs.by_key.map((line) => [line.key_id, line]),
      );
      compare(
        differences,
        'day',
        days,
        costs.by_day.map((line) => [line.day, line]),
      );
      return differences;
    },
  };
}

function compare(differences: string[], kind: string, right: Map<string, Sum>, said: readonly [string, Line][]): void {
  const lines = new Map(said);
  for (const [name, { requests, cost }] of right) {
    const line = lines.get(name);
    lines.delete(name);
    if (line?.requests === requests && line.cost_nano_usd === cost) continue;
    if (!line && requests === 0 && cost === 0) continue;
    const reported = line ? `${line.requests} requests of ${line.cost_nano_usd}` : 'nothing';
    differences.push(`${kind} ${name}: receipts say ${requests} requests of ${cost}, the reports ${reported}`);
  }
  for (const [name, { requests, cost_nano_usd: cost }] of lines)
    if (requests !== 0 || cost !== 0)
      differences.push(`${kind} ${name}: in the reports alone, ${requests} requests of ${cost}`);
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
