// Hears a provider out whose client has gone or has its ending already, where hanging up would not stop the bill: what
// it cost is then known from the provider itself. Bounded in number, bytes and time; beyond them it is an estimate.

import type { Lane } from '../exchange/codec.ts';
import type { Frame } from '../exchange/frame.ts';
import type { Cancel, Clock } from '../world/world.ts';
import type { FrameReader } from './reader.ts';
import type { Tally } from './tally.ts';

export interface DrainBounds {
  /** Drains at once. */
  readonly drains: number;
  /** Bytes that one drain reads. */
  readonly drainBytes: number;
  /** How long one may take. */
  readonly drainMs: number;
}

/** The places that all drains share. */
export interface DrainPlaces {
  free: number;
}

export class Drain {
  readonly #lane: Lane;
  readonly #tally: Tally;
  readonly #reader: FrameReader;
  readonly #done: () => void;
  readonly #cancel: Cancel;
  #bytesLeft: number;

  /** The place must be taken already. `done` is called once: there is no more to hear, or no more is listened to. */
  constructor(
    lane: Lane,
    tally: Tally,
    reader: FrameReader,
    places: DrainPlaces,
    bounds: DrainBounds,
    clock: Clock,
    done: () => void,
  ) {
    let over = false;
    this.#lane = lane;
    this.#tally = tally;
    this.#reader = reader;
    this.#bytesLeft = bounds.drainBytes;
    this.#cancel = clock.after(bounds.drainMs, () => this.stop());
    this.#done = () => {
      if (over) return;
      over = true;
      places.free++;
      this.#cancel();
      done();
    };
  }

  take(frames: readonly Frame[]): void {
    for (const frame of frames) {
      const glimpse = this.#lane.push(frame);
      this.#tally.see(glimpse);
      // Usage may still come behind a terminator, but the connection's end is not waited for.
      if (!glimpse.failure && !(this.#tally.whole && this.#tally.usage)) continue;
      this.stop();
      return;
    }
  }

  data(chunk: Buffer): void {
    this.#bytesLeft -= chunk.length;
    const frames = this.#bytesLeft < 0 ? undefined : this.#reader.push(chunk);
    if (frames) this.take(frames);
    else this.stop();
  }

  end(): void {
    const last = this.#lane.end();
    this.#tally.see(last);
    if (last.complete) this.#tally.whole = true;
    this.stop();
  }

  stop(): void {
    this.#done();
  }
}
