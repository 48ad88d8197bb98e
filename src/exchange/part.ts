// The neutral form of an answer, whole or streamed: a sequence of parts. A whole answer is the same sequence at once.

import type { Citation, MediaBlock, OpaqueBlock, Signature } from './prompt.ts';
import type { Usage } from './usage.ts';

export type FinishReason =
  | 'stop'
  | 'length'
  | 'tool-calls'
  | 'content-filter'
  | 'refusal'
  /** The provider paused a long turn and wants it sent back (Anthropic `pause_turn`). */
  | 'pause'
  /** Malformed tool call, unexpected tool call: the provider failed but answered 200. */
  | 'error'
  | 'other';

/** What a provider said went wrong, read from an error body or from an event in a stream. */
export interface UpstreamFailure {
  /** HTTP status: the response's own, or the one that the error's type stands for when it came in a stream. */
  readonly status: number;
  /** The provider's words, cut to 2,000 characters. Never bytes of an answer that was not JSON. */
  readonly message: string;
  readonly type?: string;
  readonly code?: string;
  readonly param?: string;
  /** Seconds, from `Retry-After` or the body. */
  readonly retryAfter?: number;
  readonly kind:
    | 'invalid-request'
    | 'context-too-long'
    | 'authentication'
    | 'permission'
    | 'not-found'
    | 'too-large'
    | 'rate-limit'
    /** Hard quota or unpaid bill: retrying the same account cannot help. */
    | 'quota'
    | 'content-filter'
    | 'overloaded'
    | 'timeout'
    | 'server'
    | 'unreadable';
}

export type Part =
  | { readonly type: 'start'; readonly id?: string; readonly model?: string; readonly created?: number }
  | { readonly type: 'text-delta'; readonly choice: number; readonly text: string; readonly logprobs?: unknown }
  | { readonly type: 'text-signature'; readonly choice: number; readonly signature: Signature }
  | { readonly type: 'reasoning-delta'; readonly choice: number; readonly text: string }
  /** Closes the current reasoning block of the choice with its proof. `redacted` where there was no text. */
  | {
      readonly type: 'reasoning-signature';
      readonly choice: number;
      readonly signature: Signature;
      readonly redacted?: boolean;
    }
  | { readonly type: 'refusal-delta'; readonly choice: number; readonly text: string }
  | {
      readonly type: 'tool-input-start';
      readonly choice: number;
      /** 0, 1, 2 ... within the choice, in order of appearance. */
      readonly index: number;
      readonly id: string;
      readonly name: string;
      readonly custom?: boolean;
      readonly signature?: Signature;
    }
  | { readonly type: 'tool-input-delta'; readonly choice: number; readonly index: number; readonly text: string }
  | { readonly type: 'citation'; readonly choice: number; readonly citation: Citation }
  | { readonly type: 'media'; readonly choice: number; readonly block: MediaBlock; readonly transcript?: string }
  | { readonly type: 'opaque'; readonly choice: number; readonly block: OpaqueBlock }
  | {
      readonly type: 'finish';
      readonly choice: number;
      readonly reason: FinishReason;
      /** The provider's own word (`MAX_TOKENS`, `end_turn`). */
      readonly raw?: string;
      readonly stopSequence?: string;
    }
  /** Cumulative so far; the last one counts. */
  | { readonly type: 'usage'; readonly usage: Usage }
  | { readonly type: 'error'; readonly failure: UpstreamFailure }
  /** The format's own terminator was seen (`[DONE]`, `message_stop`, Gemini: the end of the body after a finish). */
  | { readonly type: 'end' };
