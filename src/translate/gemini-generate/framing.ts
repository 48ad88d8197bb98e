// The two framings of a Gemini stream on its way out: events (`alt=sse`), or one JSON array sent piece by piece.

import type { Framing } from '../../exchange/format.ts';

export interface Framer {
  /** One answer's JSON as a whole frame. */
  frame(json: string): string;
  /** What goes before JSON that is sent as bytes, and after it. */
  before(): string;
  readonly after: string;
  /** Closes the stream; once. */
  close(): string;
}

/** Blank lines and blanks in an array mean nothing to any client; Google's Go client takes an SSE comment for an error. */
export function heartbeat(framing: Framing): string {
  return framing === 'sse' ? '\n\n' : '\n';
}

export function framer(framing: Framing): Framer {
  if (framing === 'sse') {
    return { frame: (json) => `data: ${json}\n\n`, before: () => 'data: ', after: '\n\n', close: () => '' };
  }
  let first = true;
  let closed = false;
  const before = (): string => {
    const mark = first ? '[' : ',\n';
    first = false;
    return mark;
  };
  return {
    before,
    after: '\n',
    frame: (json) => `${before()}${json}\n`,
    close() {
      if (closed) return '';
      closed = true;
      return first ? '[]' : ']';
    },
  };
}
