// R8: PostgreSQL dies for a minute: who has leased money is served, who was never seen is told so, no row is lost.

import type { GatewayProcess } from '../../test/gateway.ts';
import { startFleet, until } from './fleet.ts';
import { startOracle } from './oracle.ts';
import { tell } from './program.ts';
import { usd, type Verdict } from './verdict.ts';

const downMs = 60_000;
const perSecond = 20;

export async function r8(instances: number, seed: number): Promise<Verdict> {
  const oracle = await startOracle({ seed, tokensPerChunk: 25, chunkMs: 5, firstMs: 5 });
  const budgets = [
    { scope: 'key:*', limit: '50 USD', per: 'day' },
    { scope: 'run:*', limit: '1 USD', per: 'lifetime' },
  ];
  const fleet = await startFleet({ instances, oracle, budgets });
  const { postgres } = fleet;
  if (!postgres) throw new Error('R8 wants more than one instance');
  try {
    const { key, id } = await fleet.newKey({});
    const statuses = {
      before: new Map<string, number>(),
      down: new Map<string, number>(),
      after: new Map<string, number>(),
    };
    const unseen = new Map<string, number>();
    const send = async (into: Map<string, number>, headers: Readonly<Record<string, string>> = {}): Promise<void> => {
      const { url } = fleet.gateways[Math.floor(Math.random() * instances)] as GatewayProcess;
      const { status, code } = await tell({ url, key, model: 'oracle/mixed', stream: Math.random() < 0.5, headers });
      const said = `${status} ${code}`.trim();
      into.set(said, (into.get(said) ?? 0) + 1);
    };
    const load = async (into: Map<string, number>, forMs: number): Promise<void> => {
      const sent: Promise<void>[] = [];
      const endsAt = performance.now() + forMs;
      for (let turn = 0; performance.now() < endsAt; turn++) {
        sent.push(send(into));
        if (into === statuses.down && turn % perSecond === 0)
          sent.push(send(unseen, { 'x-tollgate-run': `new-${turn}` }));
        await new Promise((resolve) => setTimeout(resolve, 1000 / perSecond));
      }
      await Promise.all(sent);
    };
    await load(statuses.before, 5_000);
    await postgres.crash();
    await load(statuses.down, downMs);
    await postgres.start();
    await load(statuses.after, 5_000);
    await until(() => oracle.busy === 0);
    const costs = async (): Promise<{ total_cost_nano_usd: number; total_requests: number }> =>
      (await fleet.admin(`/admin/analytics/costs?key=${id}`)).json;
    const generated = oracle.cost();
    await until(async () => (await costs()).total_cost_nano_usd === generated, 30_000).catch(() => undefined);
    const posted = (await costs()).total_cost_nano_usd;
    const failed = [...statuses.down].filter(([said]) => said !== '200').reduce((sum, [, count]) => sum + count, 0);
    const served = [...unseen].filter(([said]) => !said.startsWith('503')).reduce((sum, [, count]) => sum + count, 0);
    const list = (counts: Map<string, number>): string =>
      [...counts].map(([said, count]) => `${said}: ${count}`).join(', ');
    return {
      row: 'R8',
      what: `PostgreSQL killed for ${downMs / 1000} s under ${perSecond} requests/s, ${instances} instances`,
      figures: {
        before: list(statuses.before),
        'while it is down': list(statuses.down),
        'runs never seen before': list(unseen),
        after: list(statuses.after),
        'generated, by the oracle': usd(generated),
        'posted, all journals read': usd(posted),
      },
      misses: [
        ...(failed > 0 ? [`${failed} requests of a leased scope failed`] : []),
        ...(served > 0 ? [`${served} requests of runs nobody could ask for were served`] : []),
        ...(posted === generated ? [] : [`the books differ from the oracle by ${usd(posted - generated)}`]),
      ],
    };
  } finally {
    await fleet.close();
    await oracle.close();
  }
}
