// How an attempt ended, as far as the bytes tell it.

import type { UpstreamFailure } from '../exchange/part.ts';
import type { Refusal } from '../exchange/refusal.ts';
import type { Usage } from '../exchange/usage.ts';
import type { CallFailure } from '../exchange/wire.ts';

/** What passed, for the meter and the settlement. */
export interface Passed {
  /** Characters of output that were received from the provider. */
  readonly characters: number;
  readonly usage?: Usage | undefined;
  readonly model?: string | undefined;
  /** HTTP status of the attempt; 0 where none came. */
  readonly status: number;
  /** The provider's answer came to its end, whoever heard it: its usage is the bill. */
  readonly whole?: true;
}

export type Failure =
  | { readonly from: 'call'; readonly call: CallFailure }
  | { readonly from: 'provider'; readonly upstream: UpstreamFailure };

/** Why a stream ended. `whole` alone may look like an end to the client. */
export type StreamEnd =
  | { readonly kind: 'whole' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'cut'; readonly refusal: Refusal }
  | { readonly kind: 'broken'; readonly failure: Failure };

export type Outcome =
  /** The client has seen this attempt: there can be no other. */
  | { readonly kind: 'shown'; readonly passed: Passed; readonly end: StreamEnd }
  /** A body that is no stream: a whole answer, or an error. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Buffer;
    }
  /** Nothing of this attempt was shown. */
  | { readonly kind: 'failed'; readonly passed: Passed; readonly end: Exclude<StreamEnd, { kind: 'whole' }> };
