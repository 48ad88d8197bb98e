// Brings the store's schema to the newest by numbered migrations, all of them in one transaction.

import { readdirSync, readFileSync } from 'node:fs';
import { type Database, Unusable } from './database.ts';

/** Any number, the same in every instance: those that start together migrate one after another. */
const migrationLock = 7_236_001;

/** Throws `Unusable` where a newer version has been here. */
export async function migrate(database: Database): Promise<void> {
  const folder = new URL('./migrations/', import.meta.url);
  const names = readdirSync(folder)
    .filter((name) => /^\d{3}-.*\.sql$/.test(name))
    .sort();
  const newest = numberOf(names.at(-1) ?? '0');
  await database.transaction(async (session) => {
    if (database.dialect === 'postgres') {
      await session.all('SELECT pg_advisory_xact_lock(?)', [migrationLock]);
      // Asked for first: with IF NOT EXISTS alone PostgreSQL wants the right to make it even where it is there.
      const [schema] = await session.all("SELECT 1 AS there FROM pg_namespace WHERE nspname = 'tollgate'");
      if (!schema) await session.run('CREATE SCHEMA tollgate');
    }
    await session.run('CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL)');
    const [row] = await session.all('SELECT COALESCE(MAX(number), 0) AS has FROM migrations');
    const has = Number(row?.has);
    if (has > newest) {
      throw new Unusable(`the store was written by a newer version (schema ${has}, this one knows ${newest})`);
    }
    for (const name of names) {
      if (numberOf(name) <= has) continue;
      for (const statement of statements(readFileSync(new URL(name, folder), 'utf8'), database.dialect)) {
        await session.run(statement);
      }
      await session.run('INSERT INTO migrations (number, name) VALUES (?, ?)', [numberOf(name), name]);
    }
  });
}

function numberOf(name: string): number {
  return Number.parseInt(name, 10);
}

/**
 * Migrations are written for SQLite; these words are all that differs. Text is compared by its bytes in both, so that
 * ids sort by time whatever language the database speaks.
 */
function statements(text: string, dialect: Database['dialect']): string[] {
  const all = text
    .replaceAll(/--.*$/gm, '')
    .split(';')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  if (dialect === 'sqlite') return all;
  return all.map((each) =>
    each
      .replaceAll(/\bINTEGER\b/g, 'BIGINT')
      .replaceAll(/\bTEXT\b/g, 'TEXT COLLATE "C"')
      .replaceAll(/\) (WITHOUT ROWID, )?STRICT$/g, ')'),
  );
}
