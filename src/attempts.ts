// The middle of a request's life: one attempt after another over the plan's targets until one is shown to the client.

import { createAttempt, type Failed } from './attempt.ts';
import { Refusal } from './exchange/refusal.ts';
import { scopesOfTarget } from './exchange/scope.ts';
import type { Target } from './exchange/target.ts';
import { moveFunds } from './hold-amount.ts';
import { explain } from './refuse.ts';
import type { Exchange, Rooms } from './rooms.ts';

/** Over all layers: what the client's SDK has tried already counts. */
const attemptsAtMost = 3;

/** Resolves once the client has its answer, or rejects with the `Refusal` to give it. */
export function createAttempts(rooms: Rooms): (exchange: Exchange) => Promise<void> {
  const attempt = createAttempt(rooms);

  return async (exchange) => {
    const { draft, plan, asks } = exchange;
    const allowed = Math.max(1, attemptsAtMost - asks.retries);
    let place = 0;
    let repeated = false;
    for (let target = plan.targets[0]; target !== undefined; ) {
      exchange.flight.check();
      exchange.flight.phase = 'waiting';
      draft.attempts++;
      draft.target = target;
      const failed: Failed | undefined = await attempt(exchange, target);
      if (failed === undefined) return;
      exchange.flight.check();
      if (exchange.ingress.reply.gone) throw new Refusal('client_closed', 'The client left.');
      const verdict = rooms.route.retry(failed);
      repeated = verdict === 'same' && !repeated;
      if (!repeated) place++;
      const next: Target | undefined = verdict === 'no' ? undefined : plan.targets[place];
      if (next === undefined || draft.attempts >= allowed)
        throw explain(failed, target, draft.attempts + asks.retries >= attemptsAtMost);
      exchange.entrance.reach(scopesOfTarget(next));
      await moveFunds(rooms, exchange, next);
      target = next;
    }
  };
}
