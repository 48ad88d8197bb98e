// The contract of the store: what SQLite and PostgreSQL must both do. Each case has an empty database and a folder.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore, type Store, type StoreOptions } from '../../src/store/store.ts';
import { journalCases } from './journal.ts';
import { otherCostCases } from './other-costs.ts';
import { recordCases } from './records.ts';
import { reportCases } from './reports.ts';
import { rollupCases } from './rollups.ts';

/** What makes an empty database in a folder, and removes it. */
export type MakeStorage = (folder: string) => Promise<{ storage: StoreOptions['storage']; remove?(): Promise<void> }>;

export function storeContract(name: string, make: MakeStorage): void {
  for (const [title, run] of Object.entries({
    ...journalCases,
    ...reportCases,
    ...rollupCases,
    ...recordCases,
    ...otherCostCases,
  })) {
    test(`${title} (${name})`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'tollgate-store-'));
      const { storage, remove } = await make(folder);
      const stores: Store[] = [];
      try {
        await run({
          folder,
          segment: (number) => join(folder, `${String(number).padStart(12, '0')}.journal`),
          async open(more) {
            const store = await openStore({ storage, journalFolder: folder, instance: 'i1', ...more });
            stores.push(store);
            return store;
          },
        });
      } finally {
        for (const store of stores) await store.close();
        await remove?.();
        rmSync(folder, { recursive: true });
      }
    });
  }
}
