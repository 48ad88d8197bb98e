// What the gateway must know of every request, read without a full decode so that an unknown field cannot break it.

import type { Format } from './format.ts';

export type OutputKind = 'audio' | 'image';

export interface Outline {
  readonly format: Format;
  /** As the client wrote it: alias, `provider/model` or a bare name. */
  readonly model: string;
  readonly stream: boolean;
  /** Whether the client asked for usage at the end of its stream (always so where the format sends it anyway). */
  readonly wantsUsage: boolean;
  /** The client's own limit on output tokens; absent where it set none. */
  readonly outputLimit?: number;
  /** Thinking tokens asked for, where the format counts them inside or beside the limit. */
  readonly thinkingBudget?: number;
  /** Answers asked for (`n`, `candidateCount`); at least 1. */
  readonly choices: number;
  /** Service tier asked for (`flex`, `priority`, ...). */
  readonly tier?: string;
  /** The end user as the body names it: a claim of the client. */
  readonly endUser?: string;
  /** What makes every token dearer, by the name under which the usage will count it (`inference_geo.us`); absent where nothing does. */
  readonly surcharges?: readonly string[];
  readonly tools: number;
  /** Names of provider-run, separately priced tools in the request (`web_search`, `google_search`, ...). */
  readonly paidTools: readonly string[];
  /** What the answer may be beside text; absent where it is text alone. Each has a price of its own. */
  readonly outputs?: readonly OutputKind[];
  readonly images: number;
  readonly documents: number;
  readonly audio: number;
  /** Bytes of the body as received. */
  readonly bytes: number;
  /** Bytes of base64 media inside the body, so that text is not counted from pictures. */
  readonly mediaBytes: number;
}
