// A clock whose loop turns end when the bench says so, for a ledger that runs in this process.

import type { Clock } from '../src/world/world.ts';

/** Timers never ring. */
export function turns(): { readonly clock: Clock; readonly end: () => void } {
  const tasks: (() => void)[] = [];
  return {
    clock: {
      now: () => Date.now(),
      monotonic: () => performance.now(),
      after: () => () => undefined,
      every: () => () => undefined,
      soon: (task) => void tasks.push(task),
    },
    end() {
      for (const task of tasks.splice(0)) task();
    },
  };
}
