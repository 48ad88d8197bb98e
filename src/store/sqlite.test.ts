import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { storeContract } from '../../test/store/contract.ts';
import { openStore } from './store.ts';

storeContract('SQLite', async (folder) => ({ storage: { kind: 'sqlite', file: join(folder, 'store.db') } }));

test('a file that is no database is one clear error', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-store-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'store.db');
  writeFileSync(file, 'this is no database at all, and long enough to be looked at'.repeat(20));
  const opening = openStore({ storage: { kind: 'sqlite', file }, journalFolder: folder, instance: 'i1' });
  await assert.rejects(opening, /not a database/);
});
