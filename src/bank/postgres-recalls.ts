// The connection that listens for recalls: told by NOTIFY, asked anew after each reconnect and every few seconds.

import type { Client } from 'pg';
import type { Recalls } from './recalls.ts';
import { createSession } from './session.ts';
import * as statements from './statements.ts';

export interface RecallListener {
  /** From now on, the recalls of this instance. */
  of(instance: string): void;
  close(): Promise<void>;
}

/** What a notification that never came costs at most; also what finds a connection that is dead without a word. */
const lookEveryMs = 5000;
/** After it broke, and while it cannot be made again. */
const againMs = 250;

export function createRecallListener(url: string, recalls: Recalls): RecallListener {
  let instance: string | undefined;
  let looking = false;
  let again = false;
  let closed = false;

  const look = async (): Promise<void> => {
    again = looking;
    if (looking || closed || instance === undefined) return;
    looking = true;
    try {
      const values = [instance];
      const rows = await session.work(
        async (client) => (await client.query({ text: statements.readRecalls, values })).rows,
      );
      recalls.deliver(rows.map((row) => ({ scope: row.scope, window: row.window_id, recalledAt: row.recalled_at })));
    } catch {
      lookLater();
    } finally {
      looking = false;
    }
    if (again) await look();
  };
  const later = new Set<NodeJS.Timeout>();
  const lookLater = (): void => {
    if (later.size > 0 || closed) return;
    const timer = setTimeout(
      () => {
        later.delete(timer);
        void look();
      },
      againMs * (0.5 + Math.random()),
    );
    timer.unref();
    later.add(timer);
  };
  const session = createSession({
    url,
    name: 'tollgate bank, recalls',
    onBroken: lookLater,
    prepare: async (client: Client) => {
      client.on('notification', () => void look());
      await client.query(`LISTEN ${statements.recallChannel}`);
    },
  });
  const timer = setInterval(() => void look(), lookEveryMs);
  timer.unref();

  return {
    of(name) {
      if (instance === name) return;
      instance = name;
      void look();
    },
    async close() {
      closed = true;
      clearInterval(timer);
      for (const each of later) clearTimeout(each);
      await session.close();
    },
  };
}
