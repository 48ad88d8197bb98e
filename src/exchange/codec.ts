// The door of a wire format: everything the gateway asks of one, in both directions. One codec a format, no effects.

import type { Format, Framing, Surface } from './format.ts';
import type { Frame } from './frame.ts';
import type { Member } from './json-span.ts';
import type { NanoUsd } from './money.ts';
import type { Outline } from './outline.ts';
import type { Part, UpstreamFailure } from './part.ts';
import type { Loss, Prompt } from './prompt.ts';
import type { Refusal } from './refusal.ts';
import type { Target } from './target.ts';
import type { Usage } from './usage.ts';

/** What a refusal or an answer needs to know of its exchange. */
export interface AnswerContext {
  readonly requestId: string;
  /** Model to name where the provider's answer names none. */
  readonly model: string;
  /** Epoch seconds, for formats that date their answers. */
  readonly created: number;
  readonly framing: Framing;
  /** False hides the usage chunk that only the gateway asked for. */
  readonly wantsUsage: boolean;
  /** Deterministic source of the ids an answer needs and its provider did not send; unique within the exchange. */
  id(prefix: string): string;
  /** The price of a usage; undefined where nothing is to be shown. Pure: may be called more than once. */
  price(usage: Usage): Price | undefined;
}

export interface Price {
  readonly cost: NanoUsd;
  readonly saved: NanoUsd;
}

/**
 * A request's body, read once: its bytes, what they say, and where its top-level members lie in them. Emptied as soon as no
 * other attempt can follow.
 */
export interface RequestBody {
  raw: Buffer;
  body: Readonly<Record<string, unknown>>;
  members: readonly Member[];
}

/** The fields the gateway owns on the way up, for a body whose format stays the same. */
export interface UpEdits {
  readonly model: string;
  /** Present only where the limit is clamped. */
  readonly outputLimit?: number;
  /** Present only where the thinking budget that the client named is clamped with the limit. */
  readonly thinkingBudget?: number;
}

export interface Decoded {
  readonly prompt: Prompt;
  /** Each turn of the prompt as the client wrote it (`messages[3]`, `system`): losses on the way up are named by it. */
  readonly places: readonly string[];
  readonly losses: readonly Loss[];
}

export interface Encoded {
  readonly body: string;
  /** How many turns the body holds. */
  readonly turns: number;
  readonly losses: readonly Loss[];
}

/** What the meter needs to know of bytes that passed. */
export interface Glimpse {
  /** True once the frame carries something of the answer itself: from here no other attempt may be shown. */
  readonly content: boolean;
  /** Characters of output in this frame (text, reasoning and tool input); an upper bound is welcome, too few is not. */
  readonly characters: number;
  /** Cumulative usage, when this frame told it. */
  readonly usage?: Usage;
  /** The format's terminator: settle before it is forwarded. */
  readonly ends?: boolean;
  /** A finish reason was seen: of this choice nothing more is to come. */
  readonly finished?: boolean;
  /** The provider reported an error inside the stream; the frame is not forwarded as it stands. */
  readonly failure?: UpstreamFailure;
  /** What leaves for the client: the frame's own bytes, others, or nothing (undefined). */
  readonly out: Uint8Array | string | undefined;
  /** True where `out` is the frame's own bytes, so that neighbours may leave in one write. */
  readonly untouched?: boolean;
  /** The model that the provider says answered. */
  readonly model?: string;
}

/** A stream on its way from a provider to a client: same format or translated, the pump cannot tell. */
export interface Lane {
  /** One whole frame. Never throws: what cannot be read is a `failure`. */
  push(frame: Frame): Glimpse;
  /**
   * The upstream body ended. `complete` in what it gives says whether the stream was complete in its own protocol;
   * `out` closes it (a Gemini array's bracket, an encoder's last events).
   */
  end(): Glimpse & { readonly complete: boolean };
  /** Ends the stream for the client with an error of its own protocol; whole frames only. */
  fail(refusal: Refusal): string;
  /**
   * Ends the stream for the client as if the output limit had been reached, with this usage where the client wants one.
   * Undefined where that would be a lie: inside a call's arguments, or where the turn could not be sent back. Then `fail`.
   */
  finish(usage: Usage): string | undefined;
  /** What keeps the connection alive without meaning anything, or undefined where the framing has no such thing. */
  heartbeat(): string | undefined;
  /** What the client's format could not say so far; asked before the settlement. Absent where everything passes. */
  losses?(): readonly Loss[];
}

/** A whole answer on its way down. */
export interface AnswerOut {
  readonly body: Uint8Array | string;
  readonly usage?: Usage | undefined;
  /** Characters of output, where usage is missing and an estimate must do. */
  readonly characters: number;
  readonly model?: string | undefined;
  /** An error in a body that came with status 200; `usage` is the bill that came with it. */
  readonly failure?: UpstreamFailure;
  readonly losses: readonly Loss[];
}

export interface StreamDecoder {
  push(frame: Frame): Part[];
  /** At the end of the body: whatever was held back, and `end` where the format's end is the end of the body. */
  end(): Part[];
}

export interface StreamEncoder {
  /** Whole frames of the client's format, possibly none (''). */
  push(part: Part): string;
  /** Called once after the `end` part. */
  end(): string;
  /** Ends the stream with an error, where that depends on what has left before (a JSON array); else `encodeStreamError` does. */
  fail?(refusal: Refusal): string;
  /** What keeps this framing alive without meaning anything; absent where the lane's own comment will do. */
  heartbeat?(): string | undefined;
  /** What this format could not say so far. */
  losses?(): readonly Loss[];
}

export interface ErrorReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Codec {
  readonly format: Format;

  /** Tolerant reading of a request. Throws `Refusal` (`invalid_request`) on wrong types of fields that we own. */
  outline(body: Readonly<Record<string, unknown>>, surface: Surface, bytes: number): Outline;
  /** Top-level keys the gateway reads or writes: twice, or escaped, is refused before any codec sees the body. */
  readonly ownedKeys: ReadonlySet<string>;
  /** Same format upstream: the client's bytes with only the owned fields replaced. What cannot be sent goes to `losses`. */
  splice(request: RequestBody, edits: UpEdits, target: Target, losses?: Loss[]): Buffer;

  decodeRequest(body: Readonly<Record<string, unknown>>, surface: Surface): Decoded;
  /** `prompt.stream` decides the surface; the output limit is already clamped in `prompt`. */
  encodeRequest(prompt: Prompt, target: Target): Encoded;

  /** Same format, whole answer: the provider's bytes with our owned fields added. */
  passAnswer(raw: Buffer, context: AnswerContext): AnswerOut;
  /** A provider's whole answer as parts, `usage` and `end` included. Throws nothing; nonsense is an `error` part. */
  decodeAnswer(body: unknown): Part[];
  /** Parts as a whole answer in this format. */
  encodeAnswer(parts: readonly Part[], context: AnswerContext): { body: string; losses: readonly Loss[] };

  /** Same format, stream: frames pass, owned fields are edited. */
  passStream(context: AnswerContext): Lane;
  streamDecoder(): StreamDecoder;
  streamEncoder(context: AnswerContext): StreamEncoder;

  /** A provider's error answer of any shape, HTML and empty included. */
  decodeError(status: number, body: Buffer, headers: Readonly<Record<string, string>>): UpstreamFailure;
  /** A refusal as this format's clients expect it. */
  encodeError(refusal: Refusal, context: Pick<AnswerContext, 'requestId'>): ErrorReply;
  /** The same inside a stream: one whole frame (or several) that the official SDK raises. */
  encodeStreamError(refusal: Refusal, context: Pick<AnswerContext, 'requestId'>): string;
}
