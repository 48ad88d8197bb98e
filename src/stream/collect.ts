// Gathers a whole answer, within a bound.

import type { Reply } from '../exchange/ingress.ts';
import type { Refusal } from '../exchange/refusal.ts';
import type { Stop } from '../exchange/stop.ts';
import type { CallHandle, CallHandler } from '../exchange/wire.ts';
import type { Cancel, Clock } from '../world/world.ts';
import type { DrainBounds, DrainPlaces } from './drain.ts';
import type { Outcome, StreamEnd } from './outcome.ts';
import { unpinned } from './reader.ts';

/** Starts the call with a handler; returns its handle. */
export type Start = (handler: CallHandler) => CallHandle;

export interface CollectHooks {
  /** Hanging up does not stop the provider's bill: it is heard out although nobody waits for the answer. */
  readonly drains: boolean;
  /** Nobody waits any more, and the provider is heard out. A client that is still there is to be told the refusal. */
  draining(refusal: Refusal | undefined): void;
}

export interface CollectBounds extends DrainBounds {
  readonly answerBytes: number;
  readonly places: DrainPlaces;
  readonly clock: Clock;
}

/** Resolves once, never rejects. A client that leaves aborts the call, unless the provider is heard out. */
export function collect(
  start: Start,
  reply: Reply,
  stop: Stop,
  hooks: CollectHooks,
  bounds: CollectBounds,
): Promise<Outcome> {
  const { answerBytes, places, clock } = bounds;
  return new Promise((resolve) => {
    let status = 0;
    let headers: Readonly<Record<string, string>> = {};
    const chunks: Buffer[] = [];
    let size = 0;
    let over = false;
    let draining: Cancel | undefined;
    const finish = (outcome: Outcome): void => {
      if (over) return;
      over = true;
      if (draining) {
        draining();
        places.free++;
      }
      resolve(outcome);
    };
    const fail = (end: Exclude<StreamEnd, { kind: 'whole' }>): void =>
      finish({ kind: 'failed', passed: { characters: 0, status }, end });
    const handle = start({
      start(answered, received) {
        status = answered;
        headers = received;
      },
      data(chunk) {
        if (over) return;
        size += chunk.length;
        chunks.push(unpinned(chunk));
        if (size <= answerBytes) return;
        fail(unreadable(`the provider's answer is larger than ${Math.floor(answerBytes / 1e6)} MB`));
        handle.abort();
      },
      end() {
        const body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size);
        finish({ kind: 'answer', status, headers, body });
      },
      fail: (failure) => fail({ kind: 'broken', failure: { from: 'call', call: failure } }),
    });
    const abandon = (end: Extract<StreamEnd, { kind: 'gone' | 'cut' }>): void => {
      if (over) return;
      if (hooks.drains && !draining && places.free > 0) {
        places.free--;
        draining = clock.after(bounds.drainMs, () => giveUp(end));
        hooks.draining(end.kind === 'cut' ? end.refusal : undefined);
      } else if (!draining || end.kind === 'cut') giveUp(end);
    };
    const giveUp = (end: Extract<StreamEnd, { kind: 'gone' | 'cut' }>): void => {
      fail(end);
      handle.abort();
    };
    reply.onGone(() => abandon({ kind: 'gone' }));
    stop.onStop((refusal) => abandon({ kind: 'cut', refusal }));
  });
}

export function unreadable(message: string): Extract<StreamEnd, { kind: 'broken' }> {
  return { kind: 'broken', failure: { from: 'provider', upstream: { status: 502, kind: 'unreadable', message } } };
}
