import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { seeded } from '../../bench/plan.ts';
import { startGateway } from '../gateway.ts';
import { startLoad } from './load.ts';
import { admin, readJournal } from './tools.ts';
import { configFor, startUpstream } from './upstream.ts';

const times = 8;

test('F4: SIGTERM at random instants under load: every end that a client saw is in the books, nothing stays held, the reports have the last row', async () => {
  const place = mkdtempSync(join(tmpdir(), 'tollgate-terminate-'));
  const dataFolder = join(place, 'data');
  const upstream = await startUpstream({ name: 'up' });
  const chance = seeded(20_260_105);
  const budgets = [{ scope: 'global', limit: '1000000 USD', per: 'lifetime' }];
  const journal = { next: readJournal(dataFolder).next };
  const books = { receipts: new Map<string, number>(), open: new Set<string>(), cost: 0 };
  let seen = 0;
  try {
    for (let time = 0; time < times; time++) {
      const gateway = await startGateway({ config: configFor(upstream, { budgets }), dataFolder });
      const costs = await admin<{ total_cost_nano_usd: number; total_requests: number }>(
        gateway,
        '/admin/analytics/costs',
      );
      assert.deepEqual(
        [costs.total_requests, costs.total_cost_nano_usd],
        [books.receipts.size, books.cost],
        'the reports differ from what the last process left',
      );
      const load = startLoad(gateway, 8, chance);
      await new Promise((resolve) => setTimeout(resolve, chance() * 250));
      assert.equal(await gateway.kill('SIGTERM'), 0, gateway.log());
      await load.over;
      await gateway.close();
      const damagedBytes = journal.next((row) => {
        if (row.type === 'hold') books.open.add(row.id);
        if (row.type !== 'receipt') return;
        assert.ok(!books.receipts.has(row.receipt.id), `${row.receipt.id} has two receipts`);
        books.receipts.set(row.receipt.id, row.receipt.cost);
        books.open.delete(row.receipt.id);
        books.cost += row.receipt.cost;
      });
      assert.deepEqual([damagedBytes, [...books.open]], [0, []], 'a process that was told to end leaves nothing open');
      for (const { id, cost } of load.ends) assert.equal(books.receipts.get(id), cost, id);
      seen += load.ends.length;
    }
    assert.ok(seen >= times, `only ${seen} exchanges were seen to end`);
  } finally {
    await upstream.close();
    rmSync(place, { recursive: true, force: true });
  }
});
