// The store's SQLite file: opened, and brought to the newest schema by numbered migrations.

import { readdirSync, readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** Throws what SQLite says, or where the file was written by a newer version. */
export function openDatabase(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000');
  const folder = new URL('./migrations/', import.meta.url);
  const names = readdirSync(folder)
    .filter((name) => /^\d{3}-.*\.sql$/.test(name))
    .sort();
  const has = Number(database.prepare('PRAGMA user_version').get()?.user_version ?? 0);
  const newest = Number.parseInt(names.at(-1) ?? '0', 10);
  if (has > newest) {
    database.close();
    throw new Error(`${file} was written by a newer version (schema ${has}, this one knows ${newest})`);
  }
  for (const name of names) {
    const number = Number.parseInt(name, 10);
    if (number <= has) continue;
    inTransaction(database, () => {
      database.exec(readFileSync(new URL(name, folder), 'utf8'));
      database.exec(`PRAGMA user_version = ${number}`);
    });
  }
  return database;
}

export function inTransaction<Answer>(database: DatabaseSync, work: () => Answer): Answer {
  database.exec('BEGIN IMMEDIATE');
  try {
    const answer = work();
    database.exec('COMMIT');
    return answer;
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}
