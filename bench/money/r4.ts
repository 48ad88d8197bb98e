// R4: random usages priced by the product and by the oracle. `node bench/money/r4.ts [--count 1000000] [--seed 1]`.

import { parseArgs } from 'node:util';
import { cost } from '../../src/price/cost.ts';
import { oracleCost } from './cost-oracle.ts';
import { draws, randomRate, randomUsage } from './draw.ts';

/** Usages priced at one rate before the next is drawn. */
const perRate = 20;

export interface Compared {
  readonly usages: number;
  readonly rates: number;
  /** Sum of the absolute differences, nano-USD. */
  readonly difference: bigint;
  readonly largest: bigint;
}

export function compare(count: number, seed: number): Compared {
  const draw = draws(seed);
  let [rates, difference, largest] = [0, 0n, 0n];
  for (let done = 0; done < count; ) {
    const rate = randomRate(draw);
    rates++;
    for (let index = 0; index < perRate && done < count; index++, done++) {
      const usage = randomUsage(draw);
      const ours = BigInt(cost(usage, rate).cost);
      const theirs = oracleCost(usage, rate);
      difference += ours > theirs ? ours - theirs : theirs - ours;
      if (theirs > largest) largest = theirs;
    }
  }
  return { usages: count, rates, difference, largest };
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { count: { type: 'string' }, seed: { type: 'string' } } });
  const [count, seed] = [Number(values.count ?? 1_000_000), Number(values.seed ?? 20_261_121)];
  const result = compare(count, seed);
  process.stdout.write(
    `R4  ${result.usages} usages at ${result.rates} rates, seed ${seed}: ` +
      `difference to the oracle ${result.difference} nano-USD (largest cost ${result.largest})\n`,
  );
  process.exitCode = result.difference === 0n ? 0 : 1;
}
