// What the built-in provider hands back: bytes and when they come, for whoever plays them.

import type { Buffer } from 'node:buffer';

/** What to play: the head leaves with the first step; with no steps and `never`, nothing ever comes. */
export interface SimScript {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** `afterMs` counts from the step before. */
  readonly steps: readonly SimStep[];
  readonly ends: 'end' | 'cut' | 'never';
}

export interface SimStep {
  readonly afterMs: number;
  readonly bytes: Buffer;
}
