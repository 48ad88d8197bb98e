import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { quiet, receipt } from '../../test/ledger.ts';
import { parseUsd } from '../exchange/money.ts';
import type { Receipt } from '../exchange/receipt.ts';
import { noUsage } from '../exchange/usage.ts';
import { labelSetsMax } from './metric.ts';
import { createRecord } from './record.ts';

function lines(text: string, name: string): string[] {
  return text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

test('one exchange shows under every name of the contract', () => {
  const record = createRecord({ log: quiet });
  record.begin();
  record.begin();
  record.write(receipt('a', 1_234_567, { firstByteMs: 80, durationMs: 700, cache: 'miss' }));
  record.write(receipt('b', 0, { charges: [], cache: 'hit', saved: 500, firstByteMs: 0 }));
  record.begin();
  record.refused('invalid_key');
  const balance = { per: 'day', limit: 10, posted: 2, held: 1, available: 7, named: true } as const;
  const text = record.metrics(
    [
      { ...balance, scope: 'global' },
      { ...balance, scope: 'global', per: 'month', available: 3_000_000_000 },
      { ...balance, scope: 'key:k1', named: false },
    ],
    [{ provider: 'sim', up: true }],
  );
  for (const line of [
    'llm_proxy_request_total{model="small",provider="sim",cache_hit="false",status="200"} 1',
    'llm_proxy_request_total{model="small",provider="sim",cache_hit="true",status="200"} 1',
    'llm_proxy_cost_total{model="small",provider="sim"} 0.001234567',
    'llm_proxy_token_count_input_total{model="small",provider="sim"} 10',
    'llm_proxy_token_count_output_total{model="small",provider="sim"} 5',
    'llm_proxy_saved_total{by="cache"} 0.0000005',
    'llm_proxy_refused_total{code="invalid_key"} 1',
    'llm_proxy_latency_seconds_bucket{provider="sim",le="0.5"} 1',
    'llm_proxy_latency_seconds_bucket{provider="sim",le="1"} 2',
    'llm_proxy_latency_seconds_count{provider="sim"} 2',
    'llm_proxy_time_to_first_token_seconds_bucket{provider="sim",le="0.1"} 1',
    'llm_proxy_overhead_seconds_bucket{le="0.0005"} 2',
    'llm_proxy_overhead_seconds_count 2',
    'llm_proxy_inflight 1',
    'llm_proxy_budget_remaining{scope="global"} 0.000000007',
    'llm_proxy_upstream_health{provider="sim"} 1',
  ]) {
    assert.ok(text.split('\n').includes(line), `${line}\nis not in\n${text}`);
  }
  assert.ok(!text.includes('key:k1'));
});

test('the cost counters add up to the receipts, to the nano-dollar, whatever the receipts say', () => {
  const charge = fc.record({
    attempt: fc.nat(3),
    provider: fc.constantFrom('a', 'b'),
    model: fc.string({ maxLength: 3 }),
    usage: fc.constant(noUsage()),
    cost: fc.integer({ min: 0, max: 1e12 }),
    priceVersion: fc.constant('test'),
    status: fc.constantFrom(0, 200, 404, 500),
  });
  const some = fc.tuple(fc.array(charge, { maxLength: 3 }), fc.integer({ min: 0, max: 1000 }));
  fc.assert(
    fc.property(fc.array(some, { maxLength: 20 }), (list) => {
      const record = createRecord({ log: quiet });
      let total = 0;
      list.forEach(([charges, more], index) => {
        const cost = charges.reduce((sum, each) => sum + each.cost, more);
        total += cost;
        record.write(receipt(`${index}`, cost, { charges }));
      });
      let sum = 0;
      for (const line of lines(record.metrics([], []), 'llm_proxy_cost_total')) {
        sum += parseUsd(line.slice(line.lastIndexOf(' ') + 1)) ?? Number.NaN;
      }
      assert.equal(sum, total);
    }),
    { seed: 2, numRuns: 200 },
  );
});

test("a client's invention becomes no label", () => {
  const record = createRecord({ log: quiet });
  for (let index = 0; index < 50; index++) {
    const model = `invented-${index}`;
    const charges = [{ ...receipt('x', 0).charges[0], provider: 'openai', model, status: 404, cost: 0 }];
    record.write(
      receipt(`${index}`, 0, { provider: 'openai', model, status: 404, ending: 'failed', charges } as never),
    );
    record.write(
      receipt(`r${index}`, 0, { provider: '', model: '', asked: model, status: 404, ending: 'refused', charges: [] }),
    );
  }
  const text = record.metrics([], []);
  assert.ok(!text.includes('invented'));
  assert.equal(lines(text, 'llm_proxy_request_total').length, 2);
});

test('label sets are bounded and sums stay right', () => {
  const record = createRecord({ log: quiet });
  for (let index = 0; index < labelSetsMax + 500; index++) record.write(receipt(`${index}`, 1, { model: `m${index}` }));
  const counted = lines(record.metrics([], []), 'llm_proxy_request_total');
  assert.equal(counted.length, labelSetsMax + 1);
  assert.equal(
    counted.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0),
    labelSetsMax + 500,
  );
});

test('label values are escaped', () => {
  const record = createRecord({ log: quiet });
  record.write(receipt('a', 1, { model: 'a"b\\c\nd' }));
  assert.deepEqual(lines(record.metrics([], []), 'llm_proxy_cost_total'), [
    'llm_proxy_cost_total{model="a\\"b\\\\c\\nd",provider="sim"} 0.000000001',
  ]);
});

test('a failure is told once, at the level of its refusal, without what the client wrote', () => {
  const told: [string, string, Record<string, unknown>][] = [];
  const teller = (level: string) => (event: string, fields?: object) =>
    void told.push([level, event, { ...fields } as Record<string, unknown>]);
  const log = {
    debugs: true,
    debug: teller('debug'),
    info: teller('info'),
    warn: teller('warn'),
    error: teller('error'),
  };
  const record = createRecord({ log });
  const failed: Partial<Receipt> = {
    ending: 'failed',
    status: 502,
    code: 'upstream_error',
    asked: 'sk-tg-secret',
    charges: [],
  };
  record.write(receipt('a', 0, failed));
  record.write(receipt('b', 0, { ...failed, code: 'ledger_unavailable' }));
  record.write(receipt('c', 0, { ...failed, code: 'budget_exceeded' }));
  record.write(receipt('d', 0));
  assert.deepEqual(
    told.map(([level, event, { id }]) => [level, event, id]),
    [
      ['warn', 'exchange_failed', 'a'],
      ['error', 'exchange_failed', 'b'],
      ['info', 'exchange_failed', 'c'],
      ['debug', 'exchange', 'd'],
    ],
  );
  assert.ok(!JSON.stringify(told).includes('secret'));
});

test('write never throws', () => {
  const record = createRecord({ log: quiet });
  record.write({ id: 'broken' } as never);
  record.write(receipt('a', 1, { durationMs: Number.NaN, overheadMs: -1 }));
  assert.equal(lines(record.metrics([], []), 'llm_proxy_inflight')[0], 'llm_proxy_inflight 0');
});

test('named budgets are as many as a metric may have, the tightest of them', () => {
  const balances = Array.from({ length: 1500 }, (_, number) => ({
    scope: `key:${number}`,
    per: 'day' as const,
    limit: 2000,
    posted: number,
    held: 0,
    available: 2000 - number,
    named: true,
  }));
  const lines =
    createRecord({ log: quiet })
      .metrics(balances, [])
      .match(/^llm_proxy_budget_remaining\{.*$/gm) ?? [];
  assert.equal(lines.length, 1000);
  assert.match(lines[0] ?? '', /scope="key:1499"/);
});
