// What was spent, by every cut. Reads rollups only: their number grows with days, keys and models, not with requests.

import type { CostsAnswer, SpendBy, SpendQuery, SpendRow, SpendTotals } from '../exchange/spend.ts';
import type { Database, Value } from './database.ts';

const hourMs = 3_600_000;
const dayMs = 86_400_000;

const columns: Readonly<Record<SpendBy, string>> = {
  hour: 'at',
  day: `at - at % ${dayMs} AS at`,
  key: 'key_id AS "keyId"',
  provider: 'provider',
  model: 'model',
};
const sums = [
  ['requests', 'requests'],
  ['failed', 'failed'],
  ['cost', 'cost'],
  ['saved', 'saved'],
  ['input_tokens', '"inputTokens"'],
  ['output_tokens', '"outputTokens"'],
  ['cache_hits', '"cacheHits"'],
  ['cache_misses', '"cacheMisses"'],
].map(([column, name]) => `COALESCE(SUM(${column}), 0) AS ${name}`);

export interface Spending {
  spend(query: SpendQuery): Promise<SpendRow[]>;
  costs(query: SpendQuery): Promise<CostsAnswer>;
}

export function createSpending(database: Database): Spending {
  const spend = async (query: SpendQuery): Promise<SpendRow[]> => {
    const by = query.by ?? [];
    const groups = [...new Set(by.filter((each) => each !== 'day' || !by.includes('hour')))].map(
      (each) => columns[each],
    );
    const values: Value[] = [];
    const parts = stretches(query).map(({ grain, from, to }) => {
      const where = ['grain = ?'];
      values.push(grain);
      const add = (condition: string, value: Value | undefined): void => {
        if (value === undefined) return;
        where.push(condition);
        values.push(value);
      };
      add('at >= ?', from);
      add('at < ?', to);
      add('key_id = ?', query.keyId);
      add('provider = ?', query.provider);
      add('model = ?', query.model);
      return `SELECT * FROM rollups WHERE ${where.join(' AND ')}`;
    });
    const positions = groups.map((_, index) => index + 1).join(', ');
    const grouped = groups.length > 0 ? `GROUP BY ${positions} ORDER BY ${positions}` : '';
    const text = `SELECT ${[...groups, ...sums].join(', ')} FROM (${parts.join(' UNION ALL ')}) AS parts ${grouped}`;
    return (await database.all(text, values)) as unknown as SpendRow[];
  };

  return {
    spend,
    async costs(query) {
      const [totals] = await spend({ ...query, by: [] });
      const dearest = (rows: SpendRow[]): SpendRow[] => rows.sort((a, b) => b.cost - a.cost || b.requests - a.requests);
      return {
        totals: totals as SpendTotals,
        byModel: dearest(await spend({ ...query, by: ['provider', 'model'] })).map(
          ({ provider = '', model = '', requests, cost }) => ({ provider, model, requests, cost }),
        ),
        byKey: dearest(await spend({ ...query, by: ['key'] })).map(({ keyId = '', requests, cost }) => ({
          keyId,
          requests,
          cost,
        })),
        byDay: (await spend({ ...query, by: ['day'] })).map(({ at = 0, requests, cost }) => ({ at, requests, cost })),
      };
    },
  };
}

interface Stretch {
  readonly grain: 'hour' | 'day';
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** Whole days come from the day rollups, which are 24 times fewer; hours only at the edges, or where they are asked for. */
function stretches({ from, to, by }: SpendQuery): Stretch[] {
  const start = from === undefined ? undefined : from - (from % hourMs);
  const end = to === undefined ? undefined : to - (to % hourMs);
  if (by?.includes('hour')) return [{ grain: 'hour', from: start, to: end }];
  const firstDay = start === undefined ? undefined : Math.ceil(start / dayMs) * dayMs;
  const lastDay = end === undefined ? undefined : end - (end % dayMs);
  if (firstDay !== undefined && lastDay !== undefined && firstDay >= lastDay) {
    return [{ grain: 'hour', from: start, to: end }];
  }
  const parts: Stretch[] = [{ grain: 'day', from: firstDay, to: lastDay }];
  if (start !== firstDay) parts.push({ grain: 'hour', from: start, to: firstDay });
  if (end !== lastDay) parts.push({ grain: 'hour', from: lastDay, to: end });
  return parts;
}
