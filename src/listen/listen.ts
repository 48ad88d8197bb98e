// The inbound side: matches the surface, bounds what comes in, hands each request on, sheds load, drains.

import type { Surface } from '../exchange/format.ts';
import type { Ingress } from '../exchange/ingress.ts';
import { Refusal } from '../exchange/refusal.ts';
import { createRoster } from '../exchange/roster.ts';
import type { InboundListener, InboundReply, InboundRequest, World } from '../world/world.ts';
import { createBodyReader, type Taken } from './body.ts';
import { findCredential } from './credential.ts';
import { createIds } from './ids.ts';
import { OpenReply } from './reply.ts';
import { guessFormat, type Match, matchSurface } from './surfaces.ts';

export interface ListenOptions {
  readonly bodyBytes: number;
  readonly allBodiesBytes: number;
  /** Exchanges at once; more are shed with `overloaded`. */
  readonly exchanges: number;
  /** Event-loop delay at which new work is shed. */
  readonly shedDelayMs: number;
  /** How long a client may take nothing of what is left for it. */
  readonly stalledMs: number;
  /** The process's recent event-loop delay in ms. */
  readonly loopDelayMs: () => number;
  /** The owner of every exchange: settles and answers it, and never rejects. */
  readonly handle: (ingress: Ingress) => Promise<void>;
  /** Answers what is refused before an exchange exists. */
  readonly refuse: (refusal: Refusal, format: Surface['format'], reply: Ingress['reply'], requestId: string) => void;
}

export interface Listen {
  readonly listener: InboundListener;
  inflight(): number;
  /** Refuses new exchanges from now on; resolves once those in flight are over. */
  drain(): Promise<void>;
  /** Ends its sweep. */
  stop(): void;
}

export function createListen(world: Pick<World, 'clock' | 'random'>, options: ListenOptions): Listen {
  const bodies = createBodyReader({ oneBytes: options.bodyBytes, allBytes: options.allBodiesBytes });
  const nextId = createIds(world.clock, world.random);
  /** Replies with an end that has not left yet. Nearly all leave at once: only what a sweep still finds gets a clock. */
  const lingering = createRoster<OpenReply>();
  const stop = world.clock.every(1000, () => {
    for (const reply of lingering.list()) reply.giveUpAfter(options.stalledMs);
  });
  let inflight = 0;
  let draining = false;
  let drained: (() => void) | undefined;

  function busy(): Refusal | undefined {
    if (draining) return new Refusal('draining', 'This instance is shutting down; try again.', { retryAfter: 1 });
    if (inflight >= options.exchanges)
      return new Refusal('overloaded', 'Too many requests in flight; try again.', { retryAfter: 1 });
    if (options.loopDelayMs() > options.shedDelayMs)
      return new Refusal('overloaded', 'The gateway is over capacity; try again.', { retryAfter: 2 });
    return undefined;
  }

  function listener(request: InboundRequest, outbound: InboundReply): void {
    const reply = new OpenReply(outbound, () => draining, request.method === 'HEAD');
    const id = nextId();
    const match = matchSurface(request.method ?? '', request.url ?? '');
    const refusal = match === undefined ? unknownPath(request) : match.allowed ? busy() : wrongMethod(match);
    if (match === undefined || refusal) {
      request.resume();
      const format = match?.surface.format ?? guessFormat(request.url ?? '', request.headers);
      options.refuse(refusal ?? unknownPath(request), format, reply, id);
      return;
    }
    inflight++;
    const taken: Taken = { bytes: 0, over: false };
    // The handler owns its exchange; should it fail all the same, its client must not wait for ever.
    const over = (): void => leave(reply, taken);
    options.handle(open(request, reply, match, id, taken)).then(over, () => {
      reply.destroy();
      over();
    });
  }

  function leave(reply: OpenReply, taken: Taken): void {
    taken.over = true;
    bodies.release(taken);
    lingering.add(reply);
    // In flight until its last byte has left: a drain that ended earlier would tear off a slow client's tail.
    reply.onOver(() => {
      lingering.remove(reply);
      inflight--;
      if (draining && inflight === 0) drained?.();
    });
  }

  function open(request: InboundRequest, reply: OpenReply, match: Match, id: string, taken: Taken): Ingress {
    return {
      id,
      surface: match.surface,
      path: match.path,
      credential: findCredential(request.headers, match.query),
      headers: request.headers as Ingress['headers'],
      receivedAt: world.clock.now(),
      startedAt: world.clock.monotonic(),
      body: () => bodies.read(request, taken),
      reply,
    };
  }

  return {
    listener,
    inflight: () => inflight,
    stop,
    drain() {
      draining = true;
      return new Promise((resolve) => {
        drained = resolve;
        if (inflight === 0) resolve();
      });
    },
  };
}

function unknownPath(request: InboundRequest): Refusal {
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  return new Refusal(
    'unknown_path',
    `There is nothing at ${request.method ?? ''} ${path.slice(0, 200)}. Tollgate serves POST /v1/chat/completions, /v1/messages, ` +
      '/v1beta/models/{model}:generateContent and :streamGenerateContent, GET /v1/models and /v1/budget.',
  );
}

function wrongMethod({ path, surface }: Match): Refusal {
  const allow = surface.kind === 'generate' ? 'POST' : 'GET';
  return new Refusal('method_not_allowed', `${path} takes ${allow}.`, { allow });
}
