// Moves one stream from a provider to a client by whole events, metering while it forwards. Callbacks throughout: a
// promise a chunk would cost more than the chunk.

import type { Glimpse, Lane } from '../exchange/codec.ts';
import type { Frame } from '../exchange/frame.ts';
import type { Reply } from '../exchange/ingress.ts';
import type { Refusal } from '../exchange/refusal.ts';
import type { Usage } from '../exchange/usage.ts';
import type { CallFailure, CallHandle, CallHandler } from '../exchange/wire.ts';
import type { Cancel, Clock } from '../world/world.ts';
import { unreadable } from './collect.ts';
import type { Outcome, Passed, StreamEnd } from './outcome.ts';
import { createOutgoing, joined, type Outgoing } from './outgoing.ts';
import { createFrameReader, type FrameReader } from './reader.ts';

export interface PumpHooks {
  /** Just before the first byte leaves. */
  begin(): void;
  /**
   * After each piece of the answer; a refusal cuts the stream at this frame's border. Cheap: it runs for every chunk.
   * A promise pauses the provider until it is kept; it must not be broken. `frame` is the piece itself, undecoded.
   */
  meter(characters: number, usage: Usage | undefined, frame: Frame): Verdict;
  /** Once, for a shown attempt: the settlement is written here. Its terminator or error waits for the promise, never broken. */
  settle(passed: Passed, end: StreamEnd): Promise<void> | undefined;
  /** Says what a broken stream tells the client. */
  explain(end: Extract<StreamEnd, { kind: 'broken' }>): Refusal;
}

/** Undefined lets the stream go on. */
export type Verdict = Refusal | undefined | Promise<Refusal | undefined>;

export interface PumpBounds {
  /** One event. Above it the stream is unreadable. */
  readonly eventBytes: number;
  /** An answer that is no stream (an error, HTML): no more than this is read. */
  readonly errorBytes: number;
  /** Preamble withheld until the answer itself begins. */
  readonly preambleBytes: number;
}

/** After the terminator the provider has this long to end its body: some send usage behind it. */
const afterTerminatorMs = 50;

export class Pump implements CallHandler {
  /** Monotonic ms of the last byte towards the client. */
  lastWriteAt: number;
  /** Monotonic ms since which the client has not read; 0 while it does. */
  stalledSince = 0;

  readonly #lane: Lane;
  readonly #reply: Reply;
  readonly #hooks: PumpHooks;
  readonly #bounds: PumpBounds;
  readonly #clock: Clock;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #reader: FrameReader;
  readonly #out: Outgoing;
  #handle: CallHandle | undefined;
  #status = 0;
  #headers: Readonly<Record<string, string>> = {};
  /** Set where the answer is no stream and is gathered instead. */
  #whole: Buffer[] | undefined;
  #wholeBytes = 0;
  #usage: Usage | undefined;
  #model: string | undefined;
  #characters = 0;
  /** Withheld until the answer begins; undefined once this attempt is the one that the client sees. */
  #preamble: (Uint8Array | string)[] | undefined = [];
  #preambleBytes = 0;
  #terminator: { readonly out: Uint8Array | string | undefined; readonly cancel: Cancel } | undefined;
  #over = false;
  /** Frames that came while a verdict was waited for; undefined while none is. */
  #waiting: Frame[] | undefined;
  /** The provider's end, where it came during that wait. */
  #ending: (() => void) | undefined;
  /** What left last: nothing of ours may follow half a line end. */
  #written: Uint8Array | string = '';

  /** `resolve` is called once, when the stream is over. */
  constructor(
    lane: Lane,
    reply: Reply,
    hooks: PumpHooks,
    bounds: PumpBounds,
    clock: Clock,
    resolve: (outcome: Outcome) => void,
  ) {
    this.#lane = lane;
    this.#reply = reply;
    this.#hooks = hooks;
    this.#bounds = bounds;
    this.#clock = clock;
    this.#resolve = resolve;
    this.#reader = createFrameReader(bounds.eventBytes);
    this.#out = createOutgoing((bytes) => this.#send(bytes));
    this.lastWriteAt = clock.monotonic();
  }

  /** Ties the pump to its call, once. */
  run(handle: CallHandle): void {
    this.#handle = handle;
    this.#reply.onDrain(() => {
      if (this.stalledSince === 0) return;
      this.stalledSince = 0;
      if (!this.#waiting) handle.resume();
    });
    this.#reply.onGone(() => {
      this.#finish({ kind: 'gone' }, undefined);
      handle.abort();
    });
  }

  start(status: number, headers: Readonly<Record<string, string>>): void {
    this.#status = status;
    this.#headers = headers;
    if (status < 200 || status > 299 || /json|html/i.test(headers['content-type'] ?? '')) this.#whole = [];
  }

  data(chunk: Buffer): void {
    if (this.#over) return;
    if (this.#whole) {
      this.#wholeBytes += chunk.length;
      if (this.#wholeBytes <= this.#bounds.errorBytes) this.#whole.push(chunk);
      return;
    }
    const frames = this.#reader.push(chunk);
    if (frames) this.#takeAll(frames);
    else this.#settled(() => this.#fail(unreadable('the provider sent an event larger than the gateway takes')));
  }

  end(): void {
    if (this.#over) return;
    if (!this.#whole) {
      this.#settled(() => this.#ended());
      return;
    }
    this.#over = true;
    this.#resolve({ kind: 'answer', status: this.#status, headers: this.#headers, body: Buffer.concat(this.#whole) });
  }

  fail(failure: CallFailure): void {
    if (this.#over) return;
    this.#settled(() => {
      if (this.#terminator) this.#ended();
      else this.#fail({ kind: 'broken', failure: { from: 'call', call: failure } });
    });
  }

  /** Keeps a silent connection alive. It commits the status, not the attempt. */
  beat(): void {
    const beat = this.#lane.heartbeat();
    if (beat === undefined || this.#over || this.#terminator) return;
    if (!this.#reply.begun) this.#hooks.begin();
    this.#closeLine();
    this.#write(beat);
  }

  /** Gives up on a client that does not read. */
  abandon(): void {
    this.#reply.destroy();
  }

  #takeAll(frames: readonly Frame[]): void {
    if (this.#waiting) {
      this.#waiting.push(...frames);
      return;
    }
    for (let at = 0; at < frames.length; at++) {
      const frame = frames[at];
      if (frame && this.#take(frame)) continue;
      if (this.#waiting) this.#waiting = frames.slice(at + 1);
      if (!this.#over) this.#out.flush();
      return;
    }
    this.#out.flush();
  }

  /** What has left stays; what comes now waits, as does the provider's end. */
  #wait(verdict: Promise<Refusal | undefined>): void {
    this.#waiting = [];
    this.#handle?.pause();
    void verdict.then((refusal) => {
      const frames = this.#waiting ?? [];
      const ending = this.#ending;
      this.#waiting = undefined;
      this.#ending = undefined;
      if (this.#over) return;
      if (refusal) {
        this.#fail({ kind: 'cut', refusal });
        return;
      }
      if (this.stalledSince === 0) this.#handle?.resume();
      this.#takeAll(frames);
      if (ending) this.#settled(ending);
    });
  }

  #settled(ending: () => void): void {
    if (this.#waiting) this.#ending = ending;
    else if (!this.#over) ending();
  }

  /** False once the stream is over, or waits. */
  #take(frame: Frame): boolean {
    const glimpse = this.#lane.push(frame);
    this.#observe(glimpse);
    if (this.#terminator) return true;
    if (glimpse.failure) {
      this.#fail({ kind: 'broken', failure: { from: 'provider', upstream: glimpse.failure } });
      return false;
    }
    if (glimpse.content && this.#preamble) {
      this.#out.flush();
      this.#commit();
    }
    if (glimpse.ends) {
      this.#terminator = {
        out: glimpse.out,
        cancel: this.#clock.after(afterTerminatorMs, () => this.#settled(() => this.#ended())),
      };
      return true;
    }
    if (glimpse.out !== undefined) this.#out.add(glimpse.out, glimpse.whole === true);
    if (!glimpse.content && glimpse.usage === undefined) return true;
    const verdict = this.#hooks.meter(this.#characters, this.#usage, frame);
    if (verdict === undefined) return true;
    if (verdict instanceof Promise) this.#wait(verdict);
    else this.#fail({ kind: 'cut', refusal: verdict });
    return false;
  }

  #observe(glimpse: Glimpse): void {
    this.#characters += glimpse.characters;
    if (glimpse.usage) this.#usage = glimpse.usage;
    if (glimpse.model) this.#model = glimpse.model;
  }

  #ended(): void {
    if (this.#over) return;
    if (this.#terminator) {
      this.#finish({ kind: 'whole' }, this.#terminator.out);
      // Over already where the provider has ended; a body that goes on after its terminator is not waited for.
      this.#handle?.abort();
      return;
    }
    const last = this.#lane.end();
    this.#observe(last);
    if (last.failure) this.#fail({ kind: 'broken', failure: { from: 'provider', upstream: last.failure } });
    else if (last.complete) this.#finish({ kind: 'whole' }, last.out);
    else this.#fail(unreadable('the provider ended its stream before the answer was whole'));
  }

  #fail(end: Extract<StreamEnd, { kind: 'cut' | 'broken' }>): void {
    const refusal = end.kind === 'cut' ? end.refusal : this.#hooks.explain(end);
    this.#out.flush();
    this.#finish(end, this.#preamble ? undefined : this.#lane.fail(refusal));
    this.#handle?.abort();
  }

  #finish(end: StreamEnd, last: Uint8Array | string | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#terminator?.cancel();
    const passed = this.#passed();
    if (this.#preamble && end.kind !== 'whole') {
      this.#resolve({ kind: 'failed', passed, end });
      return;
    }
    this.#out.flush();
    if (this.#preamble) this.#commit();
    const close = (): void => {
      this.#closeLine();
      if (last !== undefined && last.length > 0) this.#write(last);
      this.#reply.end();
      this.#resolve({ kind: 'shown', passed, end });
    };
    const settling = this.#hooks.settle(passed, end);
    if (settling !== undefined) void settling.then(close);
    else close();
  }

  #passed(): Passed {
    return {
      characters: this.#characters,
      status: this.#status,
      ...(this.#usage === undefined ? {} : { usage: this.#usage }),
      ...(this.#model === undefined ? {} : { model: this.#model }),
    };
  }

  /** From here the client sees this attempt and no other. */
  #commit(): void {
    const held = this.#preamble;
    this.#preamble = undefined;
    if (!this.#reply.begun) this.#hooks.begin();
    if (held && held.length > 0) this.#write(joined(held));
  }

  #send(bytes: Uint8Array | string): void {
    if (!this.#preamble) {
      this.#write(bytes);
      return;
    }
    this.#preamble.push(bytes);
    this.#preambleBytes += bytes.length;
    if (this.#preambleBytes > this.#bounds.preambleBytes) this.#commit();
  }

  /** The second half of a CRLF that was torn between two reads: not every client takes the CR alone for a line's end. */
  #closeLine(): void {
    if (endsWithReturn(this.#written)) this.#write('\n');
  }

  #write(bytes: Uint8Array | string): void {
    this.lastWriteAt = this.#clock.monotonic();
    this.#written = bytes;
    if (this.#reply.write(bytes) || this.stalledSince > 0) return;
    this.stalledSince = this.lastWriteAt;
    this.#handle?.pause();
  }
}

function endsWithReturn(bytes: Uint8Array | string): boolean {
  return typeof bytes === 'string' ? bytes.endsWith('\r') : bytes.at(-1) === 0x0d;
}
