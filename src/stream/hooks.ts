// What the pump asks of those who know money and words, and the bounds it keeps.

import type { Frame } from '../exchange/frame.ts';
import type { Refusal } from '../exchange/refusal.ts';
import type { Usage } from '../exchange/usage.ts';
import type { DrainBounds } from './drain.ts';
import type { Passed, StreamEnd } from './outcome.ts';

export interface PumpHooks {
  /** Hanging up does not stop the provider's bill: it is heard out although its client is gone. */
  readonly drains: boolean;
  /** Just before the first byte leaves. */
  begin(): void;
  /** From here the client sees this attempt and no other: what only another would need may be freed. */
  committed(): void;
  /**
   * After each piece of the answer; a refusal cuts the stream at this frame's border. Cheap: it runs for every chunk.
   * A promise pauses the provider until it is kept; it must not be broken. `frame` is the piece itself, undecoded.
   */
  meter(characters: number, usage: Usage | undefined, frame: Frame): Verdict;
  /** What would be charged for this, to be told where a cut stream ends as if at its limit. */
  count(passed: Passed, end: StreamEnd): Usage;
  /**
   * The provider is heard out. The client has its ending, unless it has seen nothing of the answer and is still there:
   * then it is to be told the refusal.
   */
  draining(refusal: Refusal | undefined): void;
  /** Lends a look at what has passed so far. */
  watch(passed: () => Passed): void;
  /**
   * Once, for a shown attempt: the settlement is written here. Its terminator or error waits for the promise, never
   * broken; but where the provider is heard out they have left already.
   */
  settle(passed: Passed, end: StreamEnd): Promise<void> | undefined;
  /** Says what a broken stream tells the client. */
  explain(end: Extract<StreamEnd, { kind: 'broken' }>): Refusal;
}

/** Undefined lets the stream go on. */
export type Verdict = Refusal | undefined | Promise<Refusal | undefined>;

export interface PumpBounds extends DrainBounds {
  /** One event. Above it the stream is unreadable. */
  readonly eventBytes: number;
  /** An answer that is no stream (an error, HTML): no more than this is read. */
  readonly errorBytes: number;
  /** Preamble withheld until the answer itself begins. */
  readonly preambleBytes: number;
}
