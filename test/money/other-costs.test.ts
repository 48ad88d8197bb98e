import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { startCatalogued } from '../../bench/money/r29.ts';
import { shareOf } from '../../src/admin/other-costs.ts';

test('costs that no request made are entered, imported once, listed, and kept apart from what was spent', async (context) => {
  const running = await startCatalogued();
  context.after(() => running.close());
  await running.spend();
  const main = resolve(import.meta.dirname, '..', '..', 'src', 'main.ts');
  const { PATH = '' } = process.env;
  const env = { PATH, TOLLGATE_ADMIN_TOKEN: running.gateway.adminToken };
  const tollgate = (...words: string[]): Promise<{ code: number; out: string; error: string }> =>
    new Promise((settle) => {
      execFile(process.execPath, [main, ...words, '--url', running.gateway.url], { env }, (failure, out, error) =>
        settle({ code: failure ? 1 : 0, out, error }),
      );
    });
  const added = await tollgate(
    'costs',
    'add',
    'training',
    '30 USD',
    '--from',
    '2026-01-01',
    '--to',
    '2026-01-30',
    '--tags',
    'team=a',
  );
  assert.equal(added.code, 0, added.error);
  const file = join(dirname(running.gateway.configFile), 'costs.csv');
  writeFileSync(file, 'From,To,Amount,Kind,Provider,tag:team\n2026-01-10,,1.5,vector-store,openai,"b, c"\n');
  assert.match((await tollgate('costs', 'import', file)).out, /^1 entered\./);
  assert.match((await tollgate('costs', 'import', file)).out, /^0 entered, 1 were known\./);
  const listed = await tollgate('costs', 'list', '--json');
  const { data } = JSON.parse(listed.out) as { data: { kind: string; amount: string; tags: object; id: string }[] };
  assert.deepEqual(
    data.map(({ kind, amount, tags }) => [kind, amount, tags]),
    [
      ['training', '30', { team: 'a' }],
      ['vector-store', '1.5', { team: 'b, c' }],
    ],
  );
  const { json: costs } = await running.ask('GET', '/admin/analytics/costs?from=2026-01-10&to=2026-01-12');
  assert.deepEqual(costs.other_costs, {
    total: 3.5,
    total_nano_usd: 3_500_000_000,
    by_kind: [
      { kind: 'training', entries: 1, cost: 2 },
      { kind: 'vector-store', entries: 1, cost: 1.5 },
    ],
  });
  assert.equal(costs.total_cost, 0);
  const { json: all } = await running.ask('GET', '/admin/analytics/costs');
  assert.equal(all.total_cost_nano_usd, 3_500_000);
  const removed = await running.ask('DELETE', `/admin/costs/${data[0]?.id}`);
  assert.equal(removed.status, 200);
  for (const entry of [
    { from: '2026-02-30', amount: 1, kind: 'x' },
    { from: '2026-02-02', to: '2026-02-01', amount: 1, kind: 'x' },
    { from: '2026-02-02', amount: -1, kind: 'x' },
    { from: '2026-02-02', amount: 1 },
  ]) {
    const { status } = await running.ask('POST', '/admin/costs', { entries: [entry] });
    assert.equal(status, 400, JSON.stringify(entry));
  }
});

test('the parts of a cost over its days are the whole, to the nano-dollar', () => {
  const cost = {
    id: 'c',
    from: '2026-01-01',
    to: '2026-01-07',
    amount: 1_000_000_000,
    kind: 'x',
    provider: '',
    note: '',
    tags: {},
  };
  const start = Date.parse('2025-12-30');
  let sum = 0;
  for (let day = 0; day < 12; day++) sum += shareOf(cost, start + day * 86_400_000, start + (day + 1) * 86_400_000);
  assert.equal(sum, cost.amount);
  assert.equal(shareOf(cost), cost.amount);
});
