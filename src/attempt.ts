// One attempt at one target: dressed, called, and shown to the client, or its failure told.

import { chargeFor, countFor, type Tab } from './charge.ts';
import type { AnswerContext, AnswerOut, RequestBody } from './exchange/codec.ts';
import { costOf, type Draft } from './exchange/draft.ts';
import type { UpstreamFailure } from './exchange/part.ts';
import type { Loss } from './exchange/prompt.ts';
import { Refusal } from './exchange/refusal.ts';
import type { Target } from './exchange/target.ts';
import type { CallFailure, CallHandle, CallHandler, WireRequest } from './exchange/wire.ts';
import { type Clamp, clampFor, toldLimit } from './hold-amount.ts';
import type { Progress } from './inflight.ts';
import { answerHeaders, forwarded, type Shown } from './listen/headers.ts';
import { believable } from './meter/believable.ts';
import { textInside } from './meter/frame-text.ts';
import { createMetering } from './metering.ts';
import { nameOf } from './pricing.ts';
import { explain, sendRefusal } from './refuse.ts';
import type { Exchange, Rooms } from './rooms.ts';
import type { CollectHooks } from './stream/collect.ts';
import type { Outcome, Passed, StreamEnd } from './stream/outcome.ts';

/** Why an attempt failed of which the client has seen nothing. */
export type Failed = UpstreamFailure | CallFailure;

type Answered = Extract<Outcome, { kind: 'answer' }>;
type Broken = Extract<StreamEnd, { kind: 'broken' }>;

const noBody: RequestBody = { raw: Buffer.alloc(0), body: {}, members: [] };

/** Its words stay unsaid: an error's message is no place for an answer. */
const inOnePiece: UpstreamFailure = {
  status: 502,
  kind: 'server',
  message: 'it answered in one piece where a stream was asked for',
};

const nothingYet = (): Passed => ({ characters: 0, status: 0 });

const endings: Readonly<Record<StreamEnd['kind'], Draft['ending']>> = {
  whole: 'completed',
  gone: 'cancelled',
  cut: 'cut',
  broken: 'failed',
};

/** Resolves with undefined once the client has its answer, else with why not; rejects with a `Refusal` nobody can retry. */
export function createAttempt(rooms: Rooms): (exchange: Exchange, target: Target) => Promise<Failed | undefined> {
  const { clock } = rooms.world;

  return async (exchange, target) => {
    const { draft, ingress, outline, funds } = exchange;
    const clamp = clampFor(rooms, exchange, target);
    const gauge = rooms.meter.gauge(nameOf(target));
    const tab: Tab = {
      rooms,
      exchange,
      target,
      rate: funds.rate,
      gauge,
      outputLimit: toldLimit(exchange, clamp),
      dispatchedAt: undefined,
    };
    watched(tab, nothingYet);
    const dressing = dress(tab, clamp);
    const wire = dressing instanceof Promise ? await dressing : dressing;
    const start = (handler: CallHandler): CallHandle => rooms.call.call(wire, handler);
    const dispatchedAt = clock.monotonic();
    tab.dispatchedAt = dispatchedAt;
    const outcome = outline.stream
      ? await pumped(tab, clamp, start, dispatchedAt)
      : await rooms.stream.collect(start, ingress.reply, exchange.flight, hearingOut(tab));
    if (outcome.kind !== 'shown') draft.waitedMs += clock.monotonic() - dispatchedAt;
    switch (outcome.kind) {
      case 'shown':
        rooms.route.report(target, outcome.end.kind !== 'broken');
        return undefined;
      case 'failed':
        return unseen(tab, outcome.passed, outcome.end);
      case 'answer': {
        if (outline.stream || outcome.status < 200 || outcome.status > 299) return errorAnswer(tab, outcome);
        const answer = wholeAnswer(tab, outcome);
        if (!('body' in answer)) return answer;
        const settling = exchange.settle();
        if (settling !== undefined) await settling;
        show(exchange, answer.body);
        return undefined;
      }
    }
  };

  async function pumped(
    tab: Tab,
    clamp: Clamp | undefined,
    start: (handler: CallHandler) => CallHandle,
    dispatchedAt: number,
  ): Promise<Outcome> {
    const { exchange, target } = tab;
    const metering = createMetering({ ...tab, clamp });
    const { draft, ingress, outline } = exchange;
    const lane = rooms.translate.openLane(outline.format, target.provider.format, contextOf(tab));
    const outcome = await rooms.stream.pump(start, lane, ingress.reply, exchange.flight, {
      ...hearingOut(tab),
      begin() {
        exchange.flight.phase = 'streaming';
        draft.firstByteAt = clock.monotonic();
        const type = ingress.surface.framing === 'json-array' ? 'application/json' : 'text/event-stream; charset=utf-8';
        const headers = answerHeaders(draft, shownTo(exchange), dispatchedAt - draft.startedAt);
        headers['content-type'] = type;
        ingress.reply.begin(200, headers);
      },
      committed: () => forgetBody(exchange),
      watch: (passed) => watched(tab, passed),
      meter: metering.meter,
      count: (passed, end) => countFor(tab, passed, end),
      settle(passed, end) {
        draft.waitedMs += clock.monotonic() - dispatchedAt;
        charge(tab, passed, end);
        // The headers have left: the receipt alone can tell.
        addLosses(draft, lane.losses?.() ?? []);
        draft.status = end.kind === 'gone' ? 499 : 200;
        draft.ending = endingOf(end);
        draft.code = codeOf(end);
        return exchange.settle();
      },
      explain: (end) => explain(failedBy(end), target, true),
    });
    metering.close();
    return outcome;
  }

  /**
   * What is seen of the attempt while it runs. Bound: a closure in this place was seen to keep ended exchanges in memory
   * longer than their requests.
   */
  function watched(tab: Tab, passed: () => Passed): void {
    tab.exchange.flight.progress = progressOf.bind(undefined, tab, passed);
  }

  function progressOf(tab: Tab, passed: () => Passed): Progress {
    const seen = passed();
    const usage = countFor(tab, seen, { kind: 'gone' });
    return { characters: seen.characters, cost: rooms.prices.cost(usage, tab.rate).cost };
  }

  function charge(tab: Tab, passed: Passed, end: StreamEnd): void {
    const { draft, flight } = tab.exchange;
    flight.progress = undefined;
    draft.charges.push(chargeFor(tab, passed, end));
  }

  /** A provider whose bill does not stop with the connection is heard out, though nobody waits for its answer any more. */
  function hearingOut({ exchange, target }: Tab): CollectHooks {
    const { ingress, flight, draft } = exchange;
    return {
      drains: !target.provider.billing.abortStops,
      draining(refusal) {
        flight.phase = 'draining';
        if (refusal) sendRefusal(refusal, rooms.translate.codecs, ingress.surface, ingress.reply, draft.id);
      },
    };
  }

  /** Charges it. What is left is to settle it and to show it to the client. */
  function wholeAnswer(tab: Tab, { status, body }: Answered): AnswerOut | Failed {
    const { exchange, target } = tab;
    const { draft, ingress, outline } = exchange;
    const answer = rooms.translate.passAnswer(outline.format, target.provider.format, body, contextOf(tab));
    const passed = passedOf(answer, status);
    // No bill came, or none that can be true: what is read here is all that an estimate has.
    if (answer.usage === undefined || !believable(answer.usage, answer.characters))
      tab.gauge.sampleText(textInside(body.toString('utf8')), answer.characters);
    if (answer.failure) return unseen(tab, passed, fromProvider(answer.failure));
    charge(tab, passed, { kind: 'whole' });
    rooms.route.report(target, true);
    // Nobody waits for it any more, and still it is paid.
    exchange.flight.check();
    if (ingress.reply.gone) throw new Refusal('client_closed', 'The client left.');
    addLosses(draft, answer.losses);
    draft.ending = 'completed';
    draft.status = 200;
    draft.firstByteAt = clock.monotonic();
    return answer;
  }

  function show(exchange: Exchange, body: AnswerOut['body']): void {
    const { draft, ingress } = exchange;
    const overheadMs = clock.monotonic() - draft.startedAt - draft.waitedMs;
    const headers = answerHeaders(draft, shownTo(exchange), overheadMs, true);
    headers['content-type'] = 'application/json';
    ingress.reply.send(200, headers, body);
  }

  /** An error, or a whole answer where a stream was asked for: either may tell what it is billed. */
  function errorAnswer(tab: Tab, { status, body, headers }: Answered): Failed {
    const codec = rooms.translate.codecs[tab.target.provider.format];
    const answer = codec.passAnswer(body, contextOf(tab));
    const taken = status >= 200 && status <= 299;
    const failure = taken
      ? (answer.failure ?? inOnePiece)
      : status >= 300 && status <= 399
        ? redirected(status)
        : codec.decodeError(status, body, headers);
    return unseen(tab, passedOf(answer, status), fromProvider(failure));
  }

  /** Charges and reports an attempt of which the client has seen nothing. */
  function unseen(tab: Tab, passed: Passed, end: Exclude<StreamEnd, { kind: 'whole' }>): Failed {
    charge(tab, passed, end);
    if (end.kind === 'cut') throw end.refusal;
    if (end.kind === 'gone') return { kind: 'aborted', sent: true, message: 'the client left' };
    const failed = failedBy(end);
    const retryAfter = 'retryAfter' in failed ? failed.retryAfter : undefined;
    // What no other target could mend is the request's own fault and says nothing against the provider.
    rooms.route.report(tab.target, rooms.route.retry(failed) === 'no', retryAfter);
    return failed;
  }

  /** The request as this target wants it. */
  function dress({ exchange, target }: Tab, clamp: Clamp | undefined): WireRequest | Promise<WireRequest> {
    const { ingress, outline, asks, draft } = exchange;
    const { body, losses } = rooms.translate.encodeRequest(
      outline.format,
      exchange.request,
      ingress.surface,
      outline,
      target,
      clamp ?? {},
    );
    draft.dropped = clamp === undefined ? [] : [`output limit (${clamp.outputLimit} by ${clamp.by})`];
    addLosses(draft, losses);
    if (asks.strict && losses.length > 0) throw refuseLoss(target, losses);
    const preparing = rooms.providers.prepare(target);
    if (preparing === undefined) return addressed(exchange, target, body);
    return exchange.flight.race(preparing).then(() => addressed(exchange, target, body));
  }

  function addressed(
    { ingress, outline, asks, draft, hold }: Exchange,
    target: Target,
    body: Buffer | string,
  ): WireRequest {
    const { origin, path, headers, timeouts } = rooms.providers.address(target, outline.stream);
    const passed = target.provider.format === outline.format ? forwarded(ingress.headers) : undefined;
    return {
      hold,
      attempt: draft.attempts,
      method: 'POST',
      origin,
      path,
      headers: passed === undefined ? headers : { ...passed, ...headers },
      body: rooms.providers.adjust(target, body),
      timeouts:
        asks.timeoutMs === undefined ? timeouts : { ...timeouts, total: Math.min(timeouts.total, asks.timeoutMs) },
      trust: target.provider.trust,
    };
  }

  function contextOf({ exchange, target, rate }: Tab): AnswerContext {
    const { draft, outline, ingress } = exchange;
    const earlier = costOf(draft.charges);
    let made = 0;
    return {
      requestId: draft.id,
      model: target.model,
      created: Math.floor(draft.at / 1000),
      framing: ingress.surface.framing ?? 'sse',
      wantsUsage: outline.wantsUsage,
      id: (prefix) => `${prefix}${draft.id.replaceAll('-', '').slice(8)}${(made++).toString(36)}`,
      price: (usage) => ({ cost: earlier + rooms.prices.cost(usage, rate).cost, saved: 0 }),
    };
  }

  function shownTo({ caller }: Exchange): Shown {
    return { remaining: rooms.budget.remaining(caller, rooms.budgets())?.remaining };
  }
}

/**
 * A long prompt's bytes and parse outweigh the rest of a stream several times. Emptied in place: other frames of the
 * pipeline hold the same object. What the provider was sent stays with its call, so that the bound on all bodies goes on
 * counting it.
 */
function forgetBody({ request }: Exchange): void {
  Object.assign(request, noBody);
}

function addLosses(draft: Draft, losses: readonly Loss[]): void {
  if (losses.length > 0) draft.dropped = [...new Set([...draft.dropped, ...losses.map((loss) => loss.field)])];
}

/** Never the request's fault, and never a status to hand on: a client would follow it, and a 304 can carry no error. */
function redirected(status: number): UpstreamFailure {
  return {
    status,
    kind: 'server',
    message: `it answered ${status}, and redirects are not followed: check its base_url`,
  };
}

function refuseLoss(target: Target, losses: readonly Loss[]): Refusal {
  const fields = losses.map(({ field, how, note }) => `${field} (${how}${note ? `: ${note}` : ''})`).join(', ');
  const param = losses[0]?.field;
  return new Refusal(
    'parameter_refused',
    `X-Tollgate-Strict is set, and ${target.provider.name}/${target.model} cannot take the request whole: ${fields}.`,
    param === undefined ? {} : { param },
  );
}

function passedOf({ characters, usage, model }: AnswerOut, status: number): Passed {
  return { characters, status, whole: true, usage, model };
}

function fromProvider(upstream: UpstreamFailure): Broken {
  return { kind: 'broken', failure: { from: 'provider', upstream } };
}

function failedBy({ failure }: Broken): Failed {
  return failure.from === 'call' ? failure.call : failure.upstream;
}

function timedOut({ failure }: Broken): boolean {
  return failure.from === 'call' ? failure.call.kind === 'timeout' : failure.upstream.status === 504;
}

function endingOf(end: StreamEnd): Draft['ending'] {
  if (end.kind === 'broken' && timedOut(end)) return 'timed-out';
  if (end.kind === 'cut' && end.refusal.refusal === 'killed') return 'killed';
  return endings[end.kind];
}

function codeOf(end: StreamEnd): string {
  if (end.kind === 'whole') return '';
  if (end.kind === 'gone') return 'client_closed';
  if (end.kind === 'cut') return end.refusal.refusal;
  return timedOut(end) ? 'upstream_timeout' : 'upstream_error';
}
