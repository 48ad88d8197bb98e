// Cases of the contract: what the control plane keeps.

import assert from 'node:assert/strict';
import { appendFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { receipt } from '../ledger.ts';
import type { Receipt } from '../../src/exchange/receipt.ts';
import type { Store } from '../../src/store/store.ts';
import { bytesOf, type Cases, dayMs, noon, total } from './kit.ts';

export const recordCases: Cases = {
  async 'keys are saved, replaced, and there after a start'({ open }) {
    const store = await open();
    const key = { id: 'k1', name: 'ci', hash: 'aa', hint: 'sk-tg-…', allowedModels: [], createdAt: 1 };
    await store.saveKey(key);
    await store.saveKey({ ...key, revokedAt: 5 });
    await assert.rejects(store.saveKey({ ...key, id: 'k2' }), /UNIQUE/);
    await store.close();
    await assert.rejects(store.keys(), /closed/);
    assert.deepEqual(await (await open()).keys(), [{ ...key, revokedAt: 5 }]);
  },
};
