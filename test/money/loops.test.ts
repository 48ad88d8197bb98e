// What loops do to a gateway: requests beyond counting on one balance, failures that are tried again, answers without ids.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { scanRows } from '../../src/exchange/journal.ts';
import type { HoldRow } from '../../src/exchange/receipt.ts';
import { ask, type Bench, callCost, startBench } from '../hierarchy/kit.ts';

let bench: Bench;

before(async () => {
  bench = await startBench();
});
after(() => bench.close());

interface Costs {
  readonly total_cost_nano_usd: number;
  readonly total_requests: number;
}

async function costsOf(id: string): Promise<Costs> {
  return bench.admin<Costs>('GET', `/admin/analytics/costs?key=${id}`);
}

function holdsOf(keyId: string): HoldRow[] {
  const holds: HoldRow[] = [];
  const folder = join(bench.gateway.dataFolder, 'journal');
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.journal'))) {
    scanRows(readFileSync(join(folder, name)), 0, (row) => {
      if (row.type === 'hold' && row.keyId === keyId) holds.push(row);
    });
  }
  return holds;
}

test('A4, A18: a balance of a hundred calls pays for a hundred at most, and nobody is let in for nothing', async () => {
  const limit = 101 * callCost;
  const { id, key } = await bench.key({ name: 'trusted', budget: { limit: limit / 1e9, per: 'lifetime' } });
  let served = 0;
  const lane = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) {
      const response = await ask(bench, key, turn % 2 === 0 ? {} : { body: { stream: true } });
      const text = await response.text();
      if (response.status === 200 && !text.includes('"error"')) served++;
      else assert.ok(response.status === 402 || text.includes('budget_exceeded'), `${response.status} ${text}`);
    }
  };
  await Promise.all(Array.from({ length: 50 }, lane));
  const { total_cost_nano_usd: cost } = await costsOf(id);
  assert.ok(cost <= limit, `${cost} of ${limit}`);
  assert.ok(served >= 90, `${served} served whole`);
  for (const { amount } of holdsOf(id)) assert.ok(amount > 0, 'a hold of nothing for a model with a price');
});

test('B9: a failure that is tried again a hundred times costs nothing and holds nothing', async () => {
  const { id, key } = await bench.key({ name: 'retries', budget: { limit: 0.01, per: 'lifetime' } });
  const headers = { 'idempotency-key': 'one-turn' };
  for (let turn = 0; turn < 100; turn++) {
    const response = await ask(bench, key, { body: { model: 'chat/status-500' }, headers });
    assert.ok(response.status >= 500, `${response.status}`);
    await response.arrayBuffer();
  }
  assert.equal((await costsOf(id)).total_cost_nano_usd, 0);
  const response = await ask(bench, key);
  assert.equal(response.headers.get('x-tollgate-budget-remaining'), ((1e7 - callCost) / 1e9).toString());
  await response.arrayBuffer();
});

test('D5: answers that all have the same id are a row each', async () => {
  const { id, key } = await bench.key({ name: 'same ids' });
  for (let turn = 0; turn < 20; turn++) await (await ask(bench, key)).arrayBuffer();
  const { total_requests: requests, total_cost_nano_usd: cost } = await costsOf(id);
  assert.deepEqual([requests, cost], [20, 20 * callCost]);
});
