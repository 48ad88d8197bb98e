// Moves one stream from a provider to a client by whole events, metering while it forwards. Callbacks throughout: a
// promise a chunk would cost more than the chunk.

import type { Lane } from '../exchange/codec.ts';
import type { Frame } from '../exchange/frame.ts';
import type { Reply } from '../exchange/ingress.ts';
import type { Refusal } from '../exchange/refusal.ts';
import type { Listed } from '../exchange/roster.ts';
import type { CallFailure, CallHandle, CallHandler } from '../exchange/wire.ts';
import type { Cancel, Clock } from '../world/world.ts';
import { unreadable } from './collect.ts';
import { Drain, type DrainPlaces } from './drain.ts';
import type { PumpBounds, PumpHooks } from './hooks.ts';
import type { Outcome, Passed, StreamEnd } from './outcome.ts';
import { joined, Outgoing } from './outgoing.ts';
import { createFrameReader, type FrameReader, unpinned } from './reader.ts';
import { Tally } from './tally.ts';

const lineFeed = 0x0a;

/** After the terminator the provider has this long to end its body: some send usage behind it. */
const afterTerminatorMs = 50;

export class Pump implements CallHandler, Listed {
  seat = -1;
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
  readonly #places: DrainPlaces;
  readonly #tally = new Tally();
  #handle: CallHandle | undefined;
  #headers: Readonly<Record<string, string>> = {};
  /** Set where the answer is no stream and is gathered instead. */
  #body: Buffer[] | undefined;
  #bodyBytes = 0;
  /** Withheld until the answer begins; undefined once this attempt is the one that the client sees. */
  #preamble: (Uint8Array | string)[] | undefined = [];
  #preambleBytes = 0;
  #terminator: { readonly out: Uint8Array | string | undefined; readonly cancel: Cancel } | undefined;
  #over = false;
  /** Nothing more of the answer is to come: cutting it now would save nothing. */
  #finished = false;
  #drain: Drain | undefined;
  /** Why the meter cut it. */
  #refusal: Refusal | undefined;
  /** Frames that came while a verdict was waited for; undefined while none is. */
  #waiting: Frame[] | undefined;
  /** The provider's end, where it came during that wait. */
  #ending: (() => void) | undefined;
  /** What left last ends with a carriage return: nothing of ours may follow half a line end. */
  #returned = false;

  /** `resolve` is called once, when the stream is over. */
  constructor(
    lane: Lane,
    reply: Reply,
    hooks: PumpHooks,
    bounds: PumpBounds,
    places: DrainPlaces,
    clock: Clock,
    resolve: (outcome: Outcome) => void,
  ) {
    this.#lane = lane;
    this.#reply = reply;
    this.#hooks = hooks;
    this.#bounds = bounds;
    this.#places = places;
    this.#clock = clock;
    this.#resolve = resolve;
    this.#reader = createFrameReader(bounds.eventBytes);
    this.#out = new Outgoing((bytes, latin1) => this.#send(bytes, latin1));
    this.lastWriteAt = clock.monotonic();
  }

  /** Ties the pump to its call, once. */
  run(handle: CallHandle): void {
    this.#handle = handle;
    this.#hooks.watch(() => this.passed());
    this.#reply.onDrain(() => {
      if (this.stalledSince === 0) return;
      this.stalledSince = 0;
      if (!this.#waiting) handle.resume();
    });
    this.#reply.onGone(() => this.#close({ kind: 'gone' }, undefined));
  }

  /** Ends it from outside, in whatever it is at. */
  stop(refusal: Refusal): void {
    if (this.#drain) this.#drain.stop();
    else if (!this.#over) this.#fail({ kind: 'cut', refusal });
  }

  /** What has passed so far. */
  passed(): Passed {
    return this.#tally.passed();
  }

  start(status: number, headers: Readonly<Record<string, string>>): void {
    this.#tally.status = status;
    this.#headers = headers;
    if (status < 200 || status > 299 || /json|html/i.test(headers['content-type'] ?? '')) this.#body = [];
  }

  data(chunk: Buffer): void {
    if (this.#drain) {
      this.#drain.data(chunk);
      return;
    }
    if (this.#over) return;
    if (this.#body) {
      this.#bodyBytes += chunk.length;
      if (this.#bodyBytes <= this.#bounds.errorBytes) this.#body.push(unpinned(chunk));
      return;
    }
    const frames = this.#reader.push(chunk);
    if (frames) this.#takeAll(frames);
    else this.#afterVerdict(() => this.#fail(unreadable('the provider sent an event larger than the gateway takes')));
  }

  end(): void {
    if (this.#drain) {
      this.#drain.end();
      return;
    }
    if (this.#over) return;
    if (!this.#body) {
      this.#afterVerdict(() => this.#ended());
      return;
    }
    this.#over = true;
    this.#resolve({
      kind: 'answer',
      status: this.#tally.status,
      headers: this.#headers,
      body: Buffer.concat(this.#body),
    });
  }

  fail(failure: CallFailure): void {
    if (this.#drain) {
      this.#drain.stop();
      return;
    }
    if (this.#over) return;
    this.#afterVerdict(() => {
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
      const refusal = this.#refusal;
      if (this.#waiting || refusal) this.#waiting = frames.slice(at + 1);
      if (refusal) this.#fail({ kind: 'cut', refusal });
      else if (!this.#over) this.#out.flush();
      return;
    }
    this.#out.flush();
  }

  /** What has left stays; what comes now waits, as does the provider's end. */
  #wait(verdict: Promise<Refusal | undefined>): void {
    this.#waiting = [];
    this.#handle?.pause();
    void verdict.then((refusal) => {
      if (this.#over) return;
      if (refusal) {
        this.#fail({ kind: 'cut', refusal });
        return;
      }
      const { waiting, ending } = this.#unwait();
      // Before the provider goes on: what it has sent since, its end included, may come in the midst of `resume`.
      this.#takeAll(waiting);
      if (ending) this.#afterVerdict(ending);
      else if (!this.#waiting && !this.#over && this.stalledSince === 0) this.#handle?.resume();
    });
  }

  #unwait(): { readonly waiting: readonly Frame[]; readonly ending: (() => void) | undefined } {
    const waiting = this.#waiting ?? [];
    const ending = this.#ending;
    this.#waiting = undefined;
    this.#ending = undefined;
    return { waiting, ending };
  }

  /** Runs it now, or once the verdict that is waited for is in. */
  #afterVerdict(ending: () => void): void {
    if (this.#waiting) this.#ending = ending;
    else if (!this.#over) ending();
  }

  /** False once the stream is over, or waits. */
  #take(frame: Frame): boolean {
    const glimpse = this.#lane.push(frame);
    this.#tally.see(glimpse);
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
        cancel: this.#clock.after(afterTerminatorMs, () => this.#afterVerdict(() => this.#ended())),
      };
      return true;
    }
    if (glimpse.out !== undefined) this.#out.add(glimpse.out, glimpse.untouched === true ? frame : undefined);
    if (glimpse.finished) this.#finished = true;
    else if (glimpse.characters > 0) this.#finished = false;
    if (this.#finished || (!glimpse.content && glimpse.usage === undefined)) return true;
    const verdict = this.#hooks.meter(this.#tally.characters, this.#tally.usage, frame);
    if (verdict === undefined) return true;
    if (verdict instanceof Promise) this.#wait(verdict);
    else this.#refusal = verdict;
    return false;
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
    this.#tally.see(last);
    if (last.failure) this.#fail({ kind: 'broken', failure: { from: 'provider', upstream: last.failure } });
    else if (last.complete) this.#finish({ kind: 'whole' }, last.out);
    else this.#fail(unreadable('the provider ended its stream before the answer was whole'));
  }

  #fail(end: Extract<StreamEnd, { kind: 'cut' | 'broken' }>): void {
    const refusal = end.kind === 'cut' ? end.refusal : this.#hooks.explain(end);
    this.#out.flush();
    const finish = end.kind === 'cut' && refusal.detail.onExhausted === 'finish' && !this.#preamble;
    const last = finish ? this.#lane.finish(this.#hooks.count(this.passed(), end)) : undefined;
    this.#close(end, this.#preamble ? undefined : (last ?? this.#lane.fail(refusal)));
  }

  /** Ends it for the client before the provider has ended; that one is hung up on, or heard out. */
  #close(end: Exclude<StreamEnd, { kind: 'whole' }>, last: string | undefined): void {
    if (this.#over) return;
    const { waiting, ending } = this.#unwait();
    const paid = this.#hooks.drains && end.kind !== 'broken' && !this.#body && !this.#tally.whole;
    if (!paid || this.#places.free === 0) {
      // What the provider has sent it has billed, though the client does not see it.
      for (const frame of waiting) this.#tally.see(this.#lane.push(frame));
      this.#finish(end, last);
      this.#handle?.abort();
      return;
    }
    this.#over = true;
    this.#places.free--;
    const shown = this.#preamble === undefined;
    if (shown) this.#leave(last);
    this.#hooks.draining(!shown && end.kind === 'cut' ? end.refusal : undefined);
    const drain = new Drain(this.#lane, this.#tally, this.#reader, this.#places, this.#bounds, this.#clock, () => {
      this.#drain = undefined;
      this.#handle?.abort();
      const passed = this.passed();
      if (!shown) this.#resolve({ kind: 'failed', passed, end });
      else this.#settle(end, () => this.#resolve({ kind: 'shown', passed, end }));
    });
    this.#drain = drain;
    drain.take(waiting);
    if (this.#drain && ending) drain.end();
    else if (this.#drain) this.#handle?.resume();
  }

  #finish(end: StreamEnd, last: Uint8Array | string | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#terminator?.cancel();
    if (this.#preamble && end.kind !== 'whole') {
      this.#resolve({ kind: 'failed', passed: this.passed(), end });
      return;
    }
    this.#out.flush();
    if (this.#preamble) this.#commit();
    this.#settle(end, () => {
      this.#leave(last);
      this.#resolve({ kind: 'shown', passed: this.passed(), end });
    });
  }

  /** Whatever follows stands behind the settlement: the last bytes of the client, and that the stream is over. */
  #settle(end: StreamEnd, then: () => void): void {
    const settling = this.#hooks.settle(this.passed(), end);
    if (settling !== undefined) void settling.then(then);
    else then();
  }

  /** The last that the client gets. */
  #leave(last: Uint8Array | string | undefined): void {
    this.#out.flush();
    // The provider's own bytes follow on its own; before ours a torn line has to end.
    const theirs = last instanceof Uint8Array;
    if (!theirs) this.#closeLine();
    if (last !== undefined && last.length > 0) this.#write(last);
    if (theirs && this.#reader.rest()?.bytes[0] === lineFeed) this.#closeLine();
    this.#reply.end();
  }

  /** From here the client sees this attempt and no other. */
  #commit(): void {
    const held = this.#preamble;
    this.#preamble = undefined;
    if (!this.#reply.begun) this.#hooks.begin();
    this.#hooks.committed();
    if (held && held.length > 0) this.#write(joined(held));
  }

  #send(bytes: Uint8Array | string, latin1: string | undefined): void {
    if (!this.#preamble) {
      this.#write(bytes, latin1);
      return;
    }
    this.#preamble.push(bytes instanceof Buffer ? unpinned(bytes) : bytes);
    this.#preambleBytes += bytes.length;
    if (this.#preambleBytes > this.#bounds.preambleBytes) this.#commit();
  }

  /** The second half of a CRLF that was torn between two reads: not every client takes the CR alone for a line's end. */
  #closeLine(): void {
    if (this.#returned) this.#write('\n');
  }

  #write(bytes: Uint8Array | string, latin1?: string): void {
    this.lastWriteAt = this.#clock.monotonic();
    this.#returned = endsWithReturn(bytes);
    const more = latin1 === undefined ? this.#reply.write(bytes) : this.#reply.writeLatin1(latin1);
    if (more || this.stalledSince > 0) return;
    this.stalledSince = this.lastWriteAt;
    this.#handle?.pause();
  }
}

function endsWithReturn(bytes: Uint8Array | string): boolean {
  return typeof bytes === 'string' ? bytes.endsWith('\r') : bytes.at(-1) === 0x0d;
}
