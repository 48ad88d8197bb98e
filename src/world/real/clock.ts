// The process's own clocks and timers.

import { performance } from 'node:perf_hooks';
import type { Clock } from '../world.ts';

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, task) {
    const timer = setTimeout(task, ms);
    return () => clearTimeout(timer);
  },
  every(ms, task) {
    const timer = setInterval(task, ms);
    // A sweep must not keep a finished process alive.
    timer.unref();
    return () => clearInterval(timer);
  },
  soon: (task) => void setImmediate(task),
};
