// Receipts one by one: by id, in pages from the newest, and forgetting the old ones in steps.

import type { Receipt } from '../exchange/receipt.ts';
import type { RequestsQuery } from '../exchange/spend.ts';
import type { Database, Value } from './database.ts';

const requestsMax = 1000;
/** Looked at in one step of forgetting: some 10 ms, after which other questions have their turn. */
const forgottenAtOnce = 2000;
/** After its id's moment, when a request came, a receipt's may be: when it ended, or a dead process's hold was closed. */
const lateMs = 7 * 86_400_000;
/** Before it, where the clock was set back meanwhile. */
const earlyMs = 3_600_000;

export interface Receipts {
  requests(query: RequestsQuery): Promise<Receipt[]>;
  receipt(id: string): Promise<Receipt | undefined>;
  forget(before: number): Promise<number>;
}

export function createReceipts(database: Database): Receipts {
  return {
    async requests(query) {
      const where = ['1 = 1'];
      const values: Value[] = [];
      const add = (condition: string, value: Value | undefined): void => {
        if (value === undefined) return;
        where.push(condition);
        values.push(value);
      };
      add('key_id = ?', query.keyId);
      add('id < ?', query.before);
      add('at >= ?', query.from);
      add('at < ?', query.to);
      // Ids begin with their moment: a page of an old week must not be looked for from today on.
      if (query.from !== undefined) add('id >= ?', idAt(query.from - lateMs));
      if (query.to !== undefined) add('id < ?', idAt(query.to + earlyMs));
      add('ending = ?', query.ending);
      // The words of a partial index: it finds the few that did not complete, and costs the many nothing.
      if (query.ending !== undefined && query.ending !== 'completed') where.push("ending <> 'completed'");
      values.push(Math.max(1, Math.min(query.limit ?? 100, requestsMax)));
      const text = `SELECT body FROM receipts WHERE ${where.join(' AND ')} ORDER BY id DESC LIMIT ?`;
      return (await database.all(text, values)).map(({ body }) => JSON.parse(String(body)));
    },
    async receipt(id) {
      const [row] = await database.all('SELECT body FROM receipts WHERE id = ?', [id]);
      return row && JSON.parse(String(row.body));
    },
    async forget(before) {
      await database.run('UPDATE horizon SET kept_from = ? WHERE kept_from < ?', [before, before]);
      let removed = 0;
      // In the order of ids, which is that of time but for stragglers: those go the next time.
      for (let after = ''; ; ) {
        const page = await database.all('SELECT id FROM receipts WHERE id > ? ORDER BY id LIMIT ?', [
          after,
          forgottenAtOnce,
        ]);
        const last = page.at(-1)?.id;
        if (last === undefined) return removed;
        const bounds = [after, String(last), before];
        const gone = await database.run('DELETE FROM receipts WHERE id > ? AND id <= ? AND at < ?', bounds);
        if (gone === 0) return removed;
        removed += gone;
        after = String(last);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

/** The least UUIDv7 of a moment. */
function idAt(at: number): string {
  const time = Math.max(0, Math.floor(at)).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}`;
}
