// The door of the stream room: whole answers gathered, streams pumped, and one sweep for heartbeats and stalled clients.

import type { Lane } from '../exchange/codec.ts';
import type { Reply } from '../exchange/ingress.ts';
import { createRoster } from '../exchange/roster.ts';
import type { Stop } from '../exchange/stop.ts';
import type { Clock } from '../world/world.ts';
import { type CollectHooks, collect, type Start } from './collect.ts';
import type { DrainPlaces } from './drain.ts';
import type { PumpBounds, PumpHooks } from './hooks.ts';
import type { Outcome } from './outcome.ts';
import { Pump } from './pump.ts';

export interface StreamOptions extends PumpBounds {
  /** A whole answer. */
  readonly answerBytes: number;
  /** Silence towards the client after which a heartbeat leaves. */
  readonly heartbeatMs: number;
  /** How long a client may refuse to read. */
  readonly stalledMs: number;
}

export interface Stream {
  /** Both resolve once, when the attempt is over, and never reject. */
  collect(start: Start, reply: Reply, stop: Stop, hooks: CollectHooks): Promise<Outcome>;
  pump(start: Start, lane: Lane, reply: Reply, stop: Stop, hooks: PumpHooks): Promise<Outcome>;
  stop(): void;
}

export function createStream(clock: Clock, options: StreamOptions): Stream {
  const pumps = createRoster<Pump>();
  const places: DrainPlaces = { free: options.drains };
  const cancel = clock.every(1000, () => {
    const now = clock.monotonic();
    for (const pump of pumps.list()) {
      if (pump.stalledSince > 0) {
        if (now - pump.stalledSince >= options.stalledMs) pump.abandon();
      } else if (now - pump.lastWriteAt >= options.heartbeatMs) pump.beat();
    }
  });
  return {
    collect: (start, reply, stop, hooks) => collect(start, reply, stop, hooks, { ...options, places, clock }),
    pump: (start, lane, reply, stop, hooks) =>
      new Promise((resolve) => {
        const pump: Pump = new Pump(lane, reply, hooks, options, places, clock, (outcome) => {
          pumps.remove(pump);
          resolve(outcome);
        });
        pumps.add(pump);
        pump.run(start(pump));
        stop.onStop((refusal) => pump.stop(refusal));
      }),
    stop: cancel,
  };
}
