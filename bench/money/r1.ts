// R1: a thousand programs at once on one dollar, over three instances; and the loop at two in the morning on five.

import { type Fleet, startFleet, until } from './fleet.ts';
import { startOracle } from './oracle.ts';
import { counted, spendAll } from './spend-all.ts';
import { percent, usd, type Verdict } from './verdict.ts';

interface Case {
  readonly row: string;
  readonly what: string;
  readonly limitUsd: number;
  readonly programs: number;
  readonly instances: number;
  readonly seed: number;
}

export function r1(instances: number, seed: number): Promise<Verdict> {
  const what = `1,000 programs at once on $1, ${instances} instances, streams and whole answers`;
  return spendOne({ row: 'R1', what, limitUsd: 1, programs: 1000, instances, seed });
}

/** An endless loop with one key: what the gateway is for. */
export function night(instances: number, seed: number): Promise<Verdict> {
  const what = `2 a.m.: one key in an endless loop, 50 at a time, ${instances} instances, 5 USD a day`;
  return spendOne({ row: 'night', what, limitUsd: 5, programs: 50, instances, seed });
}

async function spendOne({ row, what, limitUsd, programs, instances, seed }: Case): Promise<Verdict> {
  // 250 tokens a second, two or three times as fast as most providers, so that five dollars end within a minute or two.
  const oracle = await startOracle({ seed, tokensPerChunk: 10, chunkMs: 40, firstMs: 20 });
  const fleet = await startFleet({ instances, oracle });
  try {
    const { key, id } = await fleet.newKey({ budget: { limit: `${limitUsd} USD`, per: 'lifetime' } });
    const startedAt = performance.now();
    const told = await spendAll({ gateways: fleet.gateways, key, programs, model: 'oracle/mixed' });
    const seconds = (performance.now() - startedAt) / 1000;
    await until(() => oracle.busy === 0);
    const posted = await postedFor(fleet, id);
    const limit = limitUsd * 1e9;
    const spent = oracle.cost();
    const whole = oracle.wholeCost();
    const misses = [
      ...(spent > limit ? [`overspent by ${usd(spent - limit)}`] : []),
      ...(whole < 0.9 * limit ? [`only ${percent(whole, limit)} of the budget was spent on whole answers`] : []),
      ...(posted > limit ? [`the ledger says ${usd(posted)}`] : []),
    ];
    const { whole: answers = 0, cut = 0, refused = 0, torn = 0 } = counted(told);
    return {
      row,
      what,
      figures: {
        limit: usd(limit),
        'generated, by the oracle': usd(spent),
        overspend: usd(Math.max(0, spent - limit)),
        'spent on whole answers': `${usd(whole)} (${percent(whole, limit)} of the limit)`,
        'posted by the ledger': usd(posted),
        'ledger minus oracle': usd(posted - spent),
        'answers whole / cut / refused / torn': `${answers} / ${cut} / ${refused} / ${torn}`,
        seconds: seconds.toFixed(1),
      },
      misses: torn > 0 ? [...misses, `${torn} connections were torn`] : misses,
    };
  } finally {
    await fleet.close();
    await oracle.close();
  }
}

/** Nano-USD that the receipts of a key say, once every instance's are read. */
async function postedFor(fleet: Fleet, keyId: string): Promise<number> {
  let last = -1;
  let since = performance.now();
  await until(async () => {
    const { json } = await fleet.admin(`/admin/analytics/costs?key=${keyId}`);
    const posted = Number((json as { total_cost_nano_usd: number }).total_cost_nano_usd);
    if (posted !== last) since = performance.now();
    last = posted;
    return performance.now() - since > 2_000;
  }, 60_000);
  return last;
}
