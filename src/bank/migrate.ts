// Brings the bank's tables in PostgreSQL to the newest schema by numbered migrations, whoever comes first.

import { readdirSync, readFileSync } from 'node:fs';
import type { Client } from 'pg';
import { sqlState } from './session.ts';

/** Of the advisory lock under which one instance migrates and the others wait. */
const lockKey = 7_460_255_101;

/** Rejects with what PostgreSQL says, or where the tables were made by a newer version. */
export async function migrateBank(client: Client): Promise<void> {
  const folder = new URL('./migrations/', import.meta.url);
  const names = readdirSync(folder)
    .filter((name) => /^\d{3}-.*\.sql$/.test(name))
    .sort();
  const newest = Number.parseInt(names.at(-1) ?? '0', 10);
  for (let triesLeft = 3; ; triesLeft -= 1) {
    const has = await schemaNumber(client);
    if (has === newest) return;
    if (has > newest) throw new Error(`the bank has schema ${has}, this version knows ${newest}: use a newer one`);
    try {
      await client.query(`BEGIN; SELECT pg_advisory_xact_lock(${lockKey}); CREATE SCHEMA IF NOT EXISTS tollgate;
        CREATE TABLE IF NOT EXISTS tollgate.bank_migrations (number integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())`);
      const since = await schemaNumber(client);
      for (const name of names) {
        const number = Number.parseInt(name, 10);
        if (number <= since) continue;
        await client.query(readFileSync(new URL(name, folder), 'utf8'));
        await client.query('INSERT INTO tollgate.bank_migrations (number) VALUES ($1)', [number]);
      }
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK');
      // Another part of the gateway makes the same schema, under a lock of its own.
      const raced = ['23505', '42P06', '42P07'].includes(sqlState(error) ?? '');
      if (!raced || triesLeft === 0) throw error;
    }
  }
}

async function schemaNumber(client: Client): Promise<number> {
  const there = await client.query("SELECT to_regclass('tollgate.bank_migrations') IS NOT NULL AS there");
  if (there.rows[0]?.there !== true) return 0;
  const { rows } = await client.query('SELECT coalesce(max(number), 0) AS number FROM tollgate.bank_migrations');
  return Number(rows[0]?.number ?? 0);
}
