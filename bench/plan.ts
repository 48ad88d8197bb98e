// What the controller asks of the load generator and what comes back, over the channel between the two processes.

export interface Spread {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

interface Common {
  readonly port: number;
  /** The request as it goes over the wire, head and body, latin1. */
  readonly request: string;
  /** The process whose CPU is read at both ends of the measured window. */
  readonly watch?: number;
  /** The plan gives up after this long and reports what it has, with an error. */
  readonly deadlineMs: number;
}

/** Always `connections` requests in flight until `count` have been answered. */
export interface ClosedPlan extends Common {
  readonly kind: 'closed';
  readonly connections: number;
  readonly warmup: number;
  readonly count: number;
}

/** A request every 1/`perSecond` s whatever the answers do; a busy pool opens another connection. */
export interface OpenPlan extends Common {
  readonly kind: 'open';
  readonly perSecond: number;
  readonly warmup: number;
  readonly count: number;
}

/** `users` start at seeded moments within `rampMs`; each runs its streams one after another. */
export interface StreamPlan extends Common {
  readonly kind: 'streams';
  readonly users: number;
  readonly streamsPerUser: number;
  readonly chunksPerStream: number;
  readonly rampMs: number;
  /** CPU, chunks and reads count between these moments after the start; absent: the whole run. */
  readonly window?: readonly [fromMs: number, toMs: number];
  readonly seed: number;
}

export type Plan = ClosedPlan | OpenPlan | StreamPlan;

export interface Outcome {
  /** Exchanges that ended as they should. */
  readonly done: number;
  /** Reason → how often. Empty, or the figures beside it mean nothing. */
  readonly errors: Readonly<Record<string, number>>;
  /** CPU of the watched process inside the window, µs. */
  readonly cpuMicros: number;
  /** Length of the window, ms. */
  readonly windowMs: number;
  /** Request sent → answer whole, ms. */
  readonly latency?: Spread;
  /** Request sent → first content chunk, ms; of each user's last stream. */
  readonly firstChunk?: Spread;
  /** Chunk written upstream → chunk read by the client, ms; the same streams. */
  readonly chunkDelay?: Spread;
  /** Content chunks and socket reads inside the window: near 1 : 1, or the subject was given merged chunks. */
  readonly chunks: number;
  readonly reads: number;
}

export function spread(values: Float64Array): Spread {
  const sorted = values.toSorted();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** A linear congruential sequence in [0, 1): enough to spread starts, and the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
