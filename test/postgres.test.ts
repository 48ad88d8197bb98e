// The PostgreSQL that tests use: it starts on a bare machine, survives a crash, and leaves nothing behind.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { Client } from 'pg';
import { createTestDatabase, startPostgres } from './postgres.ts';

async function ask(url: string, statement: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

test('two databases of one run know nothing of each other, and are gone afterwards', async () => {
  const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  await ask(one.url, 'CREATE TABLE only_here (x int)');
  await assert.rejects(ask(two.url, 'SELECT * FROM only_here'), /does not exist/);
  await one.close();
  await assert.rejects(ask(one.url, 'SELECT 1'));
  await two.close();
});

test('a server that crashed has what was committed, at the same address', async () => {
  const server = await startPostgres();
  try {
    await ask(server.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await server.crash();
    await assert.rejects(ask(server.url, 'SELECT 1'));
    await server.start();
    assert.deepEqual(await ask(server.url, 'SELECT answer FROM kept'), [{ answer: 42 }]);
  } finally {
    await server.close();
  }
});

test('a server ends, and its folder goes, when the process that started it is killed', async () => {
  const program = `
    const { startPostgres } = await import(${JSON.stringify(new URL('./postgres.ts', import.meta.url).href)});
    const { Client } = await import('pg');
    const server = await startPostgres();
    const client = new Client({ connectionString: server.url });
    await client.connect();
    const { rows } = await client.query('SHOW data_directory');
    console.log(JSON.stringify({ url: server.url, folder: rows[0].data_directory }));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: import.meta.dirname,
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const { url, folder } = JSON.parse(line.toString('utf8')) as { url: string; folder: string };
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  const broken = new Promise<void>((resolve) => client.once('end', () => resolve()));
  child.kill('SIGKILL');
  await broken;
  for (let left = 200; existsSync(folder) && left > 0; left -= 1)
    await new Promise((resolve) => setTimeout(resolve, 25));
  assert.equal(existsSync(folder), false);
});
