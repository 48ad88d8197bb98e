// R3: a large `max_tokens` is a client's habit and no bill: nobody is refused while there is money.

import { startFleet, until } from './fleet.ts';
import { startOracle } from './oracle.ts';
import { tell } from './program.ts';
import { counted } from './spend-all.ts';
import { usd, type Verdict } from './verdict.ts';

const requests = 20;

/** At 10 USD a million tokens 64,000 of them are $0.64, twenty times that $12.80: more than twice the budget. */
export async function r3(instances: number, seed: number): Promise<Verdict> {
  const oracle = await startOracle({ seed, tokensPerChunk: 50, chunkMs: 10 });
  const fleet = await startFleet({ instances, oracle });
  try {
    const { key } = await fleet.newKey({ budget: { limit: '5 USD', per: 'day' } });
    // 2,000 tokens at $10 a million: 20 requests cost $0.40.
    const told = await Promise.all(
      Array.from({ length: requests }, (_, index) => {
        const { url } = fleet.gateways[index % fleet.gateways.length] ?? { url: '' };
        return tell({ url, key, model: 'oracle/words-2000', stream: index % 2 === 0, maxTokens: 64_000 });
      }),
    );
    await until(() => oracle.busy === 0);
    const { whole = 0, cut = 0, refused = 0, torn = 0 } = counted(told);
    return {
      row: 'R3',
      what: `${requests} requests at once with max_tokens 64,000 on $5, ${instances} instance(s)`,
      figures: {
        'generated, by the oracle': usd(oracle.cost()),
        'answers whole / cut / refused / torn': `${whole} / ${cut} / ${refused} / ${torn}`,
      },
      misses: whole === requests ? [] : [`${requests - whole} of ${requests} were not served whole`],
    };
  } finally {
    await fleet.close();
    await oracle.close();
  }
}
