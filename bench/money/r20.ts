// R20: a revoked key is refused, and a killed request ends, on every instance within a second.

import type { GatewayProcess } from '../../test/gateway.ts';
import { startFleet, until } from './fleet.ts';
import { startOracle } from './oracle.ts';
import { tell } from './program.ts';
import { quantile, type Verdict } from './verdict.ts';

const rounds = 10;
const withinMs = 1_000;

export async function r20(instances: number, seed: number): Promise<Verdict> {
  const oracle = await startOracle({ seed, tokensPerChunk: 1, chunkMs: 20 });
  const fleet = await startFleet({ instances, oracle });
  try {
    const revoked: number[] = [];
    const killed: number[] = [];
    const endings = new Set<string>();
    for (let round = 0; round < rounds; round++) {
      const { id, key } = await fleet.newKey({});
      const running = fleet.gateways.map(({ url }) => tell({ url, key, model: 'oracle/words-100000', stream: true }));
      await until(() => oracle.busy === instances);
      const killedAt = performance.now();
      await fleet.admin('/admin/kill', 'POST', { key: id }, fleet.gateways[round % instances]);
      for (const each of running) {
        const { end, code } = await each;
        endings.add(`${end} ${code}`);
        killed.push(performance.now() - killedAt);
      }
      const revokedAt = performance.now();
      await fleet.admin(`/admin/keys/${id}`, 'DELETE', undefined, fleet.gateways[round % instances]);
      for (const gateway of fleet.gateways) {
        await until(async () => (await asks(gateway, key)) === 401);
        revoked.push(performance.now() - revokedAt);
      }
    }
    const slowest = Math.max(quantile(revoked, 1), quantile(killed, 1));
    return {
      row: 'R20',
      what: `${rounds} keys killed and revoked at one of ${instances} instances, a stream open on each`,
      figures: {
        'kill to the end of the stream': `p50 ${quantile(killed, 0.5).toFixed(0)} ms, most ${quantile(killed, 1).toFixed(0)} ms`,
        'revocation to 401': `p50 ${quantile(revoked, 0.5).toFixed(0)} ms, most ${quantile(revoked, 1).toFixed(0)} ms`,
        endings: [...endings].join(', '),
      },
      misses: slowest > withinMs ? [`it took ${slowest.toFixed(0)} ms`] : [],
    };
  } finally {
    await fleet.close();
    await oracle.close();
  }
}

async function asks({ url }: GatewayProcess, key: string): Promise<number> {
  return (await tell({ url, key, model: 'oracle/words-1', stream: false })).status;
}
