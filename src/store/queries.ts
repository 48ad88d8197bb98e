// The questions the store answers. Analytics read rollups only; receipts are read by id and by key.

import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { KeyRecord } from '../exchange/caller.ts';
import type { Receipt } from '../exchange/receipt.ts';
import type { CostsAnswer, RequestsQuery, SpendBy, SpendQuery, SpendRow, SpendTotals } from '../exchange/spend.ts';
import { inTransaction } from './database.ts';

const columns: Readonly<Record<SpendBy, string>> = {
  hour: 'at',
  day: 'at',
  key: 'key_id AS keyId',
  provider: 'provider',
  model: 'model',
};
const sums = `TOTALS(requests) AS requests, TOTALS(failed) AS failed, TOTALS(cost) AS cost, TOTALS(saved) AS saved,
  TOTALS(input_tokens) AS inputTokens, TOTALS(output_tokens) AS outputTokens,
  TOTALS(cache_hits) AS cacheHits, TOTALS(cache_misses) AS cacheMisses`.replaceAll(
  /TOTALS\((\w+)\)/g,
  'COALESCE(SUM($1), 0)',
);
const hourMs = 3_600_000;
const requestsMax = 1000;

export function createQueries(database: DatabaseSync) {
  const spend = (query: SpendQuery): SpendRow[] => {
    const by = query.by ?? [];
    const grain = by.includes('day') && !by.includes('hour') && wholeDays(query) ? 'day' : 'hour';
    const where = ['grain = ?'];
    const values: SQLInputValue[] = [grain];
    const add = (condition: string, value: SQLInputValue | undefined): void => {
      if (value === undefined) return;
      where.push(condition);
      values.push(value);
    };
    add('at >= ?', wholeHour(query.from));
    add('at < ?', wholeHour(query.to));
    add('key_id = ?', query.keyId);
    add('provider = ?', query.provider);
    add('model = ?', query.model);
    const day = by.includes('day') && !by.includes('hour');
    const groups = [...new Set(by.map((each) => (each === 'day' && day ? 'at - at % 86400000 AS at' : columns[each])))];
    const groupBy = groups.length > 0 ? `GROUP BY ${groups.map((_, index) => index + 1).join(', ')}` : '';
    const text = `SELECT ${[...groups, sums].join(', ')} FROM rollups WHERE ${where.join(' AND ')} ${groupBy}`;
    const order = groups.length > 0 ? `ORDER BY ${groups.map((_, index) => index + 1).join(', ')}` : '';
    return database.prepare(`${text} ${order}`).all(...values) as unknown as SpendRow[];
  };

  return {
    spend,
    costs(query: SpendQuery): CostsAnswer {
      const [totals] = spend({ ...query, by: [] });
      const dearest = (rows: SpendRow[]): SpendRow[] => rows.sort((a, b) => b.cost - a.cost || b.requests - a.requests);
      return {
        totals: totals as SpendTotals,
        byModel: dearest(spend({ ...query, by: ['provider', 'model'] })).map(
          ({ provider = '', model = '', requests, cost }) => {
            return { provider, model, requests, cost };
          },
        ),
        byKey: dearest(spend({ ...query, by: ['key'] })).map(({ keyId = '', requests, cost }) => ({
          keyId,
          requests,
          cost,
        })),
        byDay: spend({ ...query, by: ['day'] }).map(({ at = 0, requests, cost }) => ({ at, requests, cost })),
      };
    },
    requests(query: RequestsQuery): Receipt[] {
      const where = ['1'];
      const values: SQLInputValue[] = [];
      const add = (condition: string, value: SQLInputValue | undefined): void => {
        if (value === undefined) return;
        where.push(condition);
        values.push(value);
      };
      add('key_id = ?', query.keyId);
      add('id < ?', query.before);
      add('at >= ?', query.from);
      add('at < ?', query.to);
      add('ending = ?', query.ending);
      values.push(Math.max(1, Math.min(query.limit ?? 100, requestsMax)));
      const text = `SELECT body FROM receipts WHERE ${where.join(' AND ')} ORDER BY id DESC LIMIT ?`;
      return database
        .prepare(text)
        .all(...values)
        .map(({ body }) => JSON.parse(String(body)));
    },
    receipt(id: string): Receipt | undefined {
      const row = database.prepare('SELECT body FROM receipts WHERE id = ?').get(id);
      return row && JSON.parse(String(row.body));
    },
    keys: (): KeyRecord[] =>
      database
        .prepare('SELECT record FROM keys ORDER BY id')
        .all()
        .map(({ record }) => JSON.parse(String(record))),
    saveKey(record: KeyRecord): void {
      const text =
        'INSERT INTO keys VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, record = excluded.record';
      database.prepare(text).run(record.id, record.hash, JSON.stringify(record));
    },
    /** Receipts older than this go; their sums in the rollups stay, and a second reading does not bring them back. */
    forget(before: number): number {
      return inTransaction(database, () => {
        database.prepare('UPDATE cursor SET kept_from = MAX(kept_from, ?)').run(before);
        database.prepare('DELETE FROM charges WHERE id IN (SELECT id FROM receipts WHERE at < ?)').run(before);
        return Number(database.prepare('DELETE FROM receipts WHERE at < ?').run(before).changes);
      });
    },
  };
}

function wholeHour(at: number | undefined): number | undefined {
  return at === undefined ? undefined : at - (at % hourMs);
}

/** Whether the day rollups answer: they are 24 times fewer. */
function wholeDays({ from = 0, to = 0 }: SpendQuery): boolean {
  return from % (24 * hourMs) === 0 && to % (24 * hourMs) === 0;
}
