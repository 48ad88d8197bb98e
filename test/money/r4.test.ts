import assert from 'node:assert/strict';
import { test } from 'node:test';
import { draws, randomRate, randomUsage } from '../../bench/money/draw.ts';
import { compare } from '../../bench/money/r4.ts';
import { buckets } from '../../src/exchange/usage.ts';
import { cost } from '../../src/price/cost.ts';

test('R4: 100,000 random usages cost what an independent oracle says, to the nano-dollar', () => {
  assert.equal(compare(100_000, 20_261_121).difference, 0n);
});

test('E5: a sparse price never throws, and what it lacks is named', () => {
  const draw = draws(5);
  for (let round = 0; round < 100_000; round++) {
    const [usage, rate] = [randomUsage(draw), randomRate(draw)];
    const { unpriced } = cost(usage, rate);
    if (rate.tiers.length > 1) continue;
    for (const bucket of buckets) {
      const missing = usage[bucket] > 0 && rate.tiers[0].prices[bucket] === undefined;
      if (unpriced.includes(bucket) !== missing) assert.fail(`round ${round}: ${bucket} in ${unpriced}`);
    }
    const unheard = (usage.unknown?.never_heard_of ?? 0) > 0;
    assert.equal(unpriced.includes('usage:never_heard_of'), unheard);
  }
});
