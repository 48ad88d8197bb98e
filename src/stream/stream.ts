// The door of the stream room: whole answers gathered, streams pumped, and one sweep for heartbeats and stalled clients.

import type { Lane } from '../exchange/codec.ts';
import type { Reply } from '../exchange/ingress.ts';
import type { Clock } from '../world/world.ts';
import { collect, type Start } from './collect.ts';
import type { Outcome } from './outcome.ts';
import { Pump, type PumpBounds, type PumpHooks } from './pump.ts';

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
  collect(start: Start, reply: Reply): Promise<Outcome>;
  pump(start: Start, lane: Lane, reply: Reply, hooks: PumpHooks): Promise<Outcome>;
  stop(): void;
}

export function createStream(clock: Clock, options: StreamOptions): Stream {
  const pumps = new Set<Pump>();
  const stop = clock.every(1000, () => {
    const now = clock.monotonic();
    for (const pump of pumps) {
      if (pump.stalledSince > 0) {
        if (now - pump.stalledSince >= options.stalledMs) pump.abandon();
      } else if (now - pump.lastWriteAt >= options.heartbeatMs) pump.beat();
    }
  });
  return {
    collect: (start, reply) => collect(start, reply, options.answerBytes),
    pump: (start, lane, reply, hooks) =>
      new Promise((resolve) => {
        const pump: Pump = new Pump(lane, reply, hooks, options, clock, (outcome) => {
          pumps.delete(pump);
          resolve(outcome);
        });
        pumps.add(pump);
        pump.run(start(pump));
      }),
    stop,
  };
}
