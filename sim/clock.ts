// Simulated time: it moves only when everything that is due has been done, so that a run of hours takes milliseconds.

import type { Clock } from '../src/world/world.ts';

export interface SimClock extends Clock {
  /** Runs what is due, in order of time, until nothing but sweeps is left and all is at rest, or the end is reached. */
  run(untilMs: number, atRest: () => boolean): Promise<void>;
}

interface Due {
  readonly at: number;
  readonly order: number;
  readonly task: () => void;
  /** Repeating tasks do not keep the run alive. */
  readonly sweep: boolean;
}

export function createClock(startEpochMs: number): SimClock {
  let nowMs = 0;
  let order = 0;
  let queue: Due[] = [];

  function plan(afterMs: number, task: () => void, sweep = false): () => void {
    const due: Due = { at: nowMs + Math.max(0, afterMs), order: order++, task, sweep };
    queue.push(due);
    return () => {
      queue = queue.filter((each) => each !== due);
    };
  }

  function every(ms: number, task: () => void): () => void {
    let cancel = (): void => undefined;
    const again = (): void => {
      cancel = plan(
        ms,
        () => {
          task();
          again();
        },
        true,
      );
    };
    again();
    return () => cancel();
  }

  async function run(untilMs: number, atRest: () => boolean): Promise<void> {
    for (;;) {
      // Promise callbacks first: a real turn of the loop empties every chain of them.
      await new Promise((resolve) => setImmediate(resolve));
      const next = queue.reduce<Due | undefined>(
        (best, each) => (!best || each.at < best.at || (each.at === best.at && each.order < best.order) ? each : best),
        undefined,
      );
      if (!next || next.at > untilMs || (queue.every((each) => each.sweep) && atRest())) return;
      queue = queue.filter((each) => each !== next);
      nowMs = next.at;
      next.task();
    }
  }

  return {
    now: () => startEpochMs + Math.floor(nowMs),
    monotonic: () => nowMs,
    after: (ms, task) => plan(ms, task),
    every,
    soon: (task) => void plan(0, task),
    run,
  };
}
