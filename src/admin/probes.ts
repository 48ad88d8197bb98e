// What machines ask: is the process alive, may it be sent traffic, what are its numbers.

import { joinMetrics } from './join-metrics.ts';
import type { AdminParts } from './parts.ts';
import { ok, type Route } from './route.ts';

export const probeRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/healthz',
    access: 'open',
    summary: 'The process answers',
    answers: '{ status: "ok" }',
    handle: () => ok({ status: 'ok' }),
  },
  {
    method: 'GET',
    path: '/readyz',
    access: 'open',
    summary: '200 when requests would be served, also without the store; 503 while draining',
    answers: '{ status: "ready" | "degraded" | "not_ready", reasons }',
    handle: (_, parts) => {
      const reasons = parts.notReady();
      if (reasons.length > 0) return ok({ status: 'not_ready', reasons }, 503);
      // 200 all the same: taken out of the balancer, every instance of a store that is away would refuse everybody.
      const amiss = parts.degraded?.() ?? [];
      return amiss.length > 0 ? ok({ status: 'degraded', reasons: amiss }) : ok({ status: 'ready' });
    },
  },
  {
    method: 'GET',
    path: '/metrics',
    access: 'metrics',
    summary: 'Prometheus metrics; the admin token unless `metrics: open`',
    answers: 'text/plain; version=0.0.4',
    handle: async (_, parts) => ({
      status: 200,
      text: await metricsOfAll(parts),
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
    }),
  },
];

async function metricsOfAll({ metrics, workers }: AdminParts): Promise<string> {
  if (!workers) return metrics();
  const { replies } = await workers.gather('metrics');
  const others = replies.map(({ worker, answer }) => ({ worker, text: answer }));
  return joinMetrics([{ worker: workers.number, text: metrics() }, ...others]);
}
