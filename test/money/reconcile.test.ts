import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCatalogued } from '../../bench/money/r29.ts';

test("a provider's bill corrects the books once, by rows; what is not over is left out", async (context) => {
  const running = await startCatalogued();
  context.after(() => running.close());
  await running.spend();
  const dayOf = (ago: number): string => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
  const [today, earlier] = [dayOf(-1), dayOf(2)];
  const text = `day,model,cost\n${earlier},gpt-4o-2024-08-06,1.25\n${today},gpt-4o,9\n`;
  const reconcile = async (apply: boolean) => {
    const { status, json } = await running.ask('POST', '/admin/reconcile', { provider: 'openai', text, apply });
    assert.equal(status, 200, JSON.stringify(json));
    return json as { lines: Record<string, unknown>[]; differing: number; corrected: number; days_not_over: string[] };
  };
  const seen = await reconcile(false);
  assert.deepEqual(seen.days_not_over, [today]);
  assert.deepEqual(
    seen.lines.map(({ day, model, ours, theirs, percent }) => [day, model, ours, theirs, percent]),
    [[earlier, 'gpt-4o-2024-08-06', 0, 1.25, 100]],
  );
  assert.deepEqual([seen.differing, seen.corrected], [1, 0]);
  assert.equal((await reconcile(true)).corrected, 1);
  const again = await reconcile(true);
  assert.deepEqual([again.differing, again.corrected], [0, 0]);
  const { json: costs } = await running.ask('GET', '/admin/analytics/costs');
  const byDay = costs.by_day as { day: string; cost: number }[];
  assert.equal(byDay.find((each) => each.day === earlier)?.cost, 1.25);
  assert.equal(costs.total_cost_nano_usd, 1_250_000_000 + 3_500_000);

  const { status, json } = await running.ask('POST', '/admin/reconcile', { provider: 'openai', text: 'day\nx' });
  assert.equal(status, 400);
  assert.match(JSON.stringify(json), /The export cannot be used/);
});
