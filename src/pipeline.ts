// The request's life, top to bottom, one call a stage. Nothing else knows the order.
//
// listen (before this) -> identify -> limit -> route -> budget -> translate -> call -> stream -> settle -> record

import { createAttempts } from './attempts.ts';
import type { Caller } from './exchange/caller.ts';
import { createDraft, type Draft, finishDraft, tokensOf } from './exchange/draft.ts';
import type { Hold } from './exchange/hold.ts';
import type { Ingress } from './exchange/ingress.ts';
import { Refusal } from './exchange/refusal.ts';
import { scopesOfTarget } from './exchange/scope.ts';
import { admit } from './hold-amount.ts';
import { labelsOf, readClaims } from './identify/claims.ts';
import type { Flight } from './inflight.ts';
import { type Entrance, expectedTokens } from './limit/limit.ts';
import { readAsks } from './listen/asks.ts';
import { exchangeHeaders } from './listen/headers.ts';
import { readBody } from './listen/request.ts';
import { answerQuestion } from './questions.ts';
import { refusalOf, sendRefusal } from './refuse.ts';
import type { Rooms } from './rooms.ts';

/** Takes an ingress to its one receipt; never rejects. */
export function createPipeline(rooms: Rooms): (ingress: Ingress) => Promise<void> {
  const { clock, log } = rooms.world;
  const attempts = createAttempts(rooms);

  async function exchange(ingress: Ingress): Promise<void> {
    const draft = createDraft(ingress.id, ingress.surface.format, ingress.receivedAt, ingress.startedAt);
    let caller: Caller | undefined;
    let hold: Hold | undefined;
    let entrance: Entrance | undefined;
    let flight: Flight | undefined;
    let settled = false;

    /** The one place where a hold is closed and a receipt is born; the first call counts. */
    function settle(): Promise<void> | undefined {
      if (settled || caller === undefined) return undefined;
      settled = true;
      const receipt = finishDraft(draft, caller, clock.monotonic());
      rooms.budget.close(hold, receipt);
      rooms.record.write(receipt);
      return rooms.budget.settled();
    }

    try {
      const known = rooms.identify.identify(ingress.credential);
      caller = known;
      rooms.record.begin();
      if (ingress.surface.kind !== 'generate') {
        draft.ending = 'completed';
        draft.status = 200;
        return answerQuestion(rooms, ingress, known);
      }

      const policy = rooms.policy();
      const asks = readAsks(ingress.headers);
      const flying = rooms.inflight.enter(draft, known.keyId, known.keyName);
      flight = flying;
      flying.run = known.claims?.pin?.run ?? asks.run?.trim() ?? '';
      const codec = rooms.translate.codecs[ingress.surface.format];
      const request = readBody(await flying.race(ingress.body()), codec.ownedKeys);
      flying.phase = 'admitting';
      const outline = codec.outline(request.body, ingress.surface, request.raw.length);
      const claims = readClaims({ run: asks.run, tags: asks.tags, endUser: outline.endUser }, known);
      draft.asked = outline.model;
      draft.stream = outline.stream;
      draft.tags = labelsOf(claims, asks.labels);

      const least = rooms.prices.inputTokens(outline);
      entrance = rooms.limit.enter({
        caller: known,
        limits: policy.limits,
        tokens: expectedTokens(least, outline),
        least,
        claims: claims.scopes,
      });
      const plan = rooms.route.plan({
        model: outline.model,
        providerHeader: asks.provider,
        caller: known,
        outline,
        snapshot: policy,
      });
      draft.rule = plan.rule ?? '';

      const [target] = plan.targets;
      if (target === undefined) throw new Refusal('unknown_model', 'No target is left for this model.');
      entrance.reach(scopesOfTarget(target));
      const extra = claims.scopes;
      const admitting = admit(rooms, {
        id: draft.id,
        caller: known,
        target,
        budgets: rooms.budgets(),
        extra,
        about: { format: outline.format, asked: outline.model, stream: outline.stream },
        policy,
        outline,
        request,
        maxCost: asks.maxCost,
      });
      const taken = admitting instanceof Promise ? await admitting : admitting;
      hold = taken.hold;
      flying.hold = hold;
      await rooms.budget.written();

      await attempts({
        ingress,
        draft,
        caller: known,
        asks,
        policy,
        request,
        outline,
        plan,
        extra,
        entrance,
        hold,
        funds: taken.funds,
        flight: flying,
        settle,
      });
    } catch (error) {
      const refusal = refusalOf(error, draft.id, log);
      if (caller === undefined) rooms.record.refused(refusal.refusal);
      endWith(draft, refusal, ingress.reply.gone);
      await settle();
      sendRefusal(refusal, rooms.translate.codecs, ingress.surface, ingress.reply, draft.id, exchangeHeaders(draft));
    } finally {
      // What leaves the list of requests in flight is in the books by then.
      const settling = settle();
      if (settling !== undefined) await settling;
      if (flight) rooms.inflight.leave(flight);
      entrance?.leave(tokensOf(draft.charges));
    }
  }

  return exchange;
}

/** How an exchange ends that was refused before, or failed after, its call. */
function endWith(draft: Draft, refusal: Refusal, gone: boolean): void {
  draft.status = gone ? 499 : refusal.status;
  draft.code = gone ? 'client_closed' : refusal.refusal;
  if (refusal.refusal === 'killed') draft.ending = 'killed';
  else if (gone) draft.ending = 'cancelled';
  else if (draft.attempts === 0) draft.ending = 'refused';
  else draft.ending = refusal.refusal === 'upstream_timeout' ? 'timed-out' : 'failed';
}
