// Puts the built-in provider behind the network port: requests to `sim:` are played from a script, all others pass on.

import type { CallHandle, CallHandler, TokenRequest, WireRequest } from '../exchange/wire.ts';
import type { Cancel, Clock, Network } from '../world/world.ts';

/** What the built-in provider answers: a head and bytes with the time before each. */
export interface Script {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly steps: readonly { readonly afterMs: number; readonly bytes: Buffer }[];
  /** `cut` drops the connection after the last step, `never` lets it hang. */
  readonly ends: 'end' | 'cut' | 'never';
}

export type Simulate = (body: Buffer, stream: boolean) => Script;

export function withSim(clock: Clock, network: Network, simulate: Simulate): Network {
  return {
    dispatch: (request, handler) =>
      request.origin === 'sim:' ? play(clock, request, handler, simulate) : network.dispatch(request, handler),
    close: () => network.close(),
  };
}

function play(clock: Clock, request: WireRequest | TokenRequest, handler: CallHandler, simulate: Simulate): CallHandle {
  const body = typeof request.body === 'string' ? Buffer.from(request.body) : Buffer.from(request.body);
  const script = simulate(body, request.headers.accept === 'text/event-stream');
  let next = 0;
  let over = false;
  let paused = false;
  /** A step is on its way: there is never more than one. */
  let scheduled = false;
  let waiting: Cancel | undefined;

  function step(): void {
    scheduled = false;
    if (over || paused) return;
    const due = script.steps[next];
    if (due) {
      next++;
      handler.data(due.bytes);
      schedule();
      return;
    }
    if (script.ends === 'never') return;
    over = true;
    if (script.ends === 'end') handler.end();
    else handler.fail({ kind: 'reset', sent: true, message: 'the provider closed the connection' });
  }

  function schedule(): void {
    if (over || scheduled) return;
    scheduled = true;
    const due = script.steps[next];
    if (due && due.afterMs > 0) waiting = clock.after(due.afterMs, step);
    else clock.soon(step);
  }

  clock.soon(() => {
    if (over) return;
    handler.start(script.status, script.headers);
    schedule();
  });

  return {
    abort() {
      if (over) return;
      over = true;
      waiting?.();
      handler.fail({ kind: 'aborted', sent: true, message: 'aborted' });
    },
    pause() {
      paused = true;
    },
    resume() {
      if (!paused) return;
      paused = false;
      schedule();
    },
  };
}
