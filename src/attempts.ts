// The middle of a request's life: one attempt after another over the plan's targets until one is shown to the client.

import { createAttempt, type Failed } from './attempt.ts';
import { quote, rateOf } from './charge.ts';
import { costOf } from './exchange/draft.ts';
import { Refusal } from './exchange/refusal.ts';
import { scopesOfTarget } from './exchange/scope.ts';
import type { Target } from './exchange/target.ts';
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
      draft.attempts++;
      draft.target = target;
      const failed: Failed | undefined = await attempt(exchange, target);
      if (failed === undefined) return;
      if (exchange.ingress.reply.gone) throw new Refusal('client_closed', 'The client left.');
      const verdict = rooms.route.retry(failed);
      repeated = verdict === 'same' && !repeated;
      if (!repeated) place++;
      const next: Target | undefined = verdict === 'no' ? undefined : plan.targets[place];
      if (next === undefined || draft.attempts >= allowed)
        throw explain(failed, target, draft.attempts + asks.retries >= attemptsAtMost);
      await moveHold(exchange, next);
      target = next;
    }
  };

  /** What earlier attempts cost stays on the hold: it is charged to this exchange whatever becomes of the next. */
  async function moveHold(exchange: Exchange, target: Target): Promise<void> {
    const { caller, draft, hold, outline, policy, entrance } = exchange;
    entrance.reach(scopesOfTarget(target));
    const wants = quote(rooms, rateOf(rooms, policy, target, outline), outline);
    const amount = costOf(draft.charges) + wants.amount;
    if (!(await rooms.budget.move(hold, target, amount))) throw rooms.budget.exceeded(hold, caller, amount);
    await rooms.budget.written();
  }
}
