// One outbound attempt: sends it through the network port and ends it when one of its clocks runs out. No retry here.

import { createRoster, type Listed } from '../exchange/roster.ts';
import type { CallFailure, CallHandle, CallHandler, WireRequest } from '../exchange/wire.ts';
import type { Clock, Network } from '../world/world.ts';

interface Active extends Listed {
  readonly request: WireRequest;
  readonly startedAt: number;
  /** Start of the present wait: the call's start, then each chunk. */
  waitingSince: number;
  answered: boolean;
  /** A paused call waits for its client, not for its provider: the idle clock stands still. */
  paused: boolean;
  expire(failure: CallFailure): void;
}

export interface Call {
  /** Exactly one of the handler's `end` and `fail` follows, whatever happens. */
  call(request: WireRequest, handler: CallHandler): CallHandle;
  /** Attempts under way. */
  active(): number;
  stop(): void;
}

/** One sweep serves all clocks of all calls: a call sets and clears no timer of its own. */
const sweepMs = 1000;

export function createCall(clock: Clock, network: Pick<Network, 'dispatch'>): Call {
  const calls = createRoster<Active>();

  const stop = clock.every(sweepMs, () => {
    const now = clock.monotonic();
    for (const active of calls.list()) {
      const failure = overdue(active, now);
      if (failure) active.expire(failure);
    }
  });

  function call(request: WireRequest, handler: CallHandler): CallHandle {
    let over = false;
    const now = clock.monotonic();
    const active: Active = {
      seat: -1,
      request,
      startedAt: now,
      waitingSince: now,
      answered: false,
      paused: false,
      expire(failure) {
        close(failure);
        handle.abort();
      },
    };
    calls.add(active);

    function close(failure?: CallFailure): void {
      if (over) return;
      over = true;
      calls.remove(active);
      if (failure) handler.fail(failure);
      else handler.end();
    }

    const handle = network.dispatch(request, {
      start(status, headers) {
        active.answered = true;
        active.waitingSince = clock.monotonic();
        if (!over) handler.start(status, headers);
      },
      data(chunk) {
        active.waitingSince = clock.monotonic();
        if (!over) handler.data(chunk);
      },
      end: () => close(),
      fail: (failure) => close(failure),
    });

    return {
      abort() {
        close({ kind: 'aborted', sent: true, message: 'aborted' });
        handle.abort();
      },
      pause() {
        active.paused = true;
        handle.pause();
      },
      resume() {
        active.paused = false;
        active.waitingSince = clock.monotonic();
        handle.resume();
      },
    };
  }

  return { call, active: () => calls.size, stop };
}

function overdue({ request, startedAt, waitingSince, answered, paused }: Active, now: number): CallFailure | undefined {
  const { firstByte, idle, total } = request.timeouts;
  if (now - startedAt >= total) return timeout('total', total);
  if (!answered && now - startedAt >= firstByte) return timeout('first-byte', firstByte);
  if (answered && !paused && now - waitingSince >= idle) return timeout('idle', idle);
  return undefined;
}

function timeout(which: 'first-byte' | 'idle' | 'total', ms: number): CallFailure {
  const what = { 'first-byte': 'did not begin its answer', idle: 'fell silent', total: 'did not finish' }[which];
  return {
    kind: 'timeout',
    clock: which,
    sent: true,
    message: `the provider ${what} within ${Math.round(ms / 1000)} s`,
  };
}
