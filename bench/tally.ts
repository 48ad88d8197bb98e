// What a plan has counted so far, and the window in which the watched process's CPU counts.

import type { Outcome } from './plan.ts';
import { cpuMicros } from './process.ts';

export interface Tally {
  done: number;
  chunks: number;
  reads: number;
  failed(reason: string): void;
  /** Starts the window: counts and CPU from before it are forgotten. */
  open(): void;
  /** Ends the window; later calls change nothing. */
  close(): void;
  outcome(): Outcome;
}

export function createTally(watch: number | undefined): Tally {
  const startedAt = performance.now();
  const errors: Record<string, number> = {};
  const cpuNow = (): number => (watch === undefined ? 0 : cpuMicros(watch));
  let from = { at: startedAt, cpu: 0, chunks: 0, reads: 0 };
  let window: { ms: number; cpu: number; chunks: number; reads: number } | undefined;

  const tally: Tally = {
    done: 0,
    chunks: 0,
    reads: 0,
    failed(reason) {
      errors[reason] = (errors[reason] ?? 0) + 1;
    },
    open() {
      from = { at: performance.now(), cpu: cpuNow(), chunks: tally.chunks, reads: tally.reads };
    },
    close() {
      window ??= {
        ms: performance.now() - from.at,
        cpu: cpuNow() - from.cpu,
        chunks: tally.chunks - from.chunks,
        reads: tally.reads - from.reads,
      };
    },
    outcome() {
      tally.close();
      return {
        done: tally.done,
        errors,
        cpuMicros: window?.cpu ?? 0,
        windowMs: window?.ms ?? 0,
        chunks: window?.chunks ?? 0,
        reads: window?.reads ?? 0,
      };
    },
  };
  return tally;
}
