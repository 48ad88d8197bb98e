// Whole requests: a closed loop for CPU a request, an open loop at a fixed rate for latency.

import { createClient } from './client.ts';
import { type ClosedPlan, type OpenPlan, type Outcome, spread } from './plan.ts';
import { createTally } from './tally.ts';

interface Shooter {
  shoot(): void;
}

/** Sends one request at a time on demand; the warm-up's answers are not measured. */
function runWith(plan: ClosedPlan | OpenPlan, begin: (shooter: Shooter) => void): Promise<Outcome> {
  return new Promise((resolve) => {
    const total = plan.warmup + plan.count;
    const client = createClient(plan.port);
    const tally = createTally(plan.watch);
    const request = Buffer.from(plan.request, 'latin1');
    const latencies = new Float64Array(plan.count);
    let measured = 0;
    let sent = 0;
    let ended = 0;
    const finish = (): void => {
      clearTimeout(deadline);
      client.close();
      resolve({ ...tally.outcome(), latency: spread(latencies.subarray(0, measured)) });
    };
    const deadline = setTimeout(() => {
      tally.failed('deadline');
      finish();
    }, plan.deadlineMs);
    const exchangeEnded = (): void => {
      ended++;
      if (ended === plan.warmup) tally.open();
      if (ended === total) finish();
      else if (plan.kind === 'closed') shooter.shoot();
    };
    const shooter: Shooter = {
      shoot() {
        if (sent === total) return;
        const warm = ++sent > plan.warmup;
        const sentAt = performance.now();
        client.send(request, {
          read() {},
          mark() {},
          end(status) {
            if (status !== 200) tally.failed(`status ${status}`);
            else if (warm) {
              tally.done++;
              latencies[measured++] = performance.now() - sentAt;
            }
            exchangeEnded();
          },
          fail(reason) {
            tally.failed(reason);
            exchangeEnded();
          },
        });
      },
    };
    begin(shooter);
  });
}

export function runClosed(plan: ClosedPlan): Promise<Outcome> {
  return runWith(plan, (shooter) => {
    for (let opened = 0; opened < plan.connections; opened++) shooter.shoot();
  });
}

export function runOpen(plan: OpenPlan): Promise<Outcome> {
  return runWith(plan, (shooter) => {
    const total = plan.warmup + plan.count;
    const startedAt = performance.now();
    let sent = 0;
    const step = (): void => {
      const owed = Math.min(total, Math.ceil(((performance.now() - startedAt) / 1000) * plan.perSecond));
      for (; sent < owed; sent++) shooter.shoot();
      if (sent < total) setTimeout(step, 1);
    };
    step();
  });
}
