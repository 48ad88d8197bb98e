// R2: where money ends, streams end: how far past it they run, how soon, and whether their client can tell.

import { startFleet, until } from './fleet.ts';
import { prices, startOracle } from './oracle.ts';
import { tell } from './program.ts';
import { counted } from './spend-all.ts';
import { quantile, usd, type Verdict } from './verdict.ts';

const streams = 50;
const limitUsd = 0.2;
const tokensPerStream = 256;

/** Fifty long streams at a hundred tokens a second, each worth more than its share; some think where nobody sees it. */
export async function r2(instances: number, seed: number): Promise<Verdict> {
  const oracle = await startOracle({ seed, tokensPerChunk: 1, chunkMs: 10 });
  const fleet = await startFleet({ instances, oracle });
  try {
    const { key } = await fleet.newKey({ budget: { limit: `${limitUsd} USD`, per: 'day' } });
    const told = await Promise.all(
      Array.from({ length: streams }, (_, index) => {
        const { url } = fleet.gateways[index % fleet.gateways.length] ?? { url: '' };
        const model = index % 5 === 0 ? 'oracle/think-300-4000' : 'oracle/words-4000';
        return tell({ url, key, model, stream: true });
      }),
    );
    await until(() => oracle.busy === 0);
    const { whole = 0, cut = 0, refused = 0, torn = 0 } = counted(told);
    const over = Math.max(0, oracle.cost() - limitUsd * 1e9);
    const overTokens = over / (prices.output * 1000);
    // From the moment at which the provider was hung up on to the client's ending: both on one clock.
    const ends = told.filter(({ end }) => end === 'cut').map(({ endedAt }) => endedAt);
    const hangs = oracle.bills.flatMap(({ hungUpAt }) => (hungUpAt === undefined ? [] : [hungUpAt]));
    const apart = pairs(ends, hangs);
    const misses = [
      ...(overTokens > tokensPerStream * streams ? [`${Math.round(overTokens)} tokens past the limit`] : []),
      ...(quantile(apart, 1) > 250
        ? [`a provider was hung up on ${quantile(apart, 1)} ms after its client's end`]
        : []),
      ...(torn > 0 ? [`${torn} streams ended without an ending of their protocol`] : []),
      ...(cut === 0 ? ['no stream was cut: nothing was shown'] : []),
    ];
    return {
      row: 'R2',
      what: `${streams} streams of 4,000 tokens on $${limitUsd}, hidden reasoning among them, ${instances} instance(s)`,
      figures: {
        'generated, by the oracle': usd(oracle.cost()),
        overspend: `${usd(over)} (${(overTokens / streams).toFixed(1)} tokens a stream)`,
        'client end to provider hang-up': `p50 ${quantile(apart, 0.5)} ms, most ${quantile(apart, 1)} ms`,
        'streams whole / cut / refused / torn': `${whole} / ${cut} / ${refused} / ${torn}`,
      },
      misses,
    };
  } finally {
    await fleet.close();
    await oracle.close();
  }
}

/** Both in order of time: how far the pairs lie apart, ms. */
function pairs(ends: readonly number[], hangs: readonly number[]): number[] {
  const sorted = [...ends].sort((a, b) => a - b);
  return [...hangs]
    .sort((a, b) => a - b)
    .slice(0, sorted.length)
    .map((at, index) => Math.abs(at - (sorted[index] ?? at)));
}
