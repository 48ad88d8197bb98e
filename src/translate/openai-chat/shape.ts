// What stands around the delta of a stream's chunks, learned from one: the chunks differ in little else. Measured over
// 2,000 chunks of 300 bytes, best of 40 rounds: 0.4 µs a chunk, 0.6 µs where a usage is hidden; 2.2 µs unlearned.

import { type Bytes, type DeltaSpan, nullUsage, scanDelta, valueAt } from './scan.ts';

export interface Shape {
  readonly before: string;
  readonly behind: string;
  /** OpenAI pads each chunk with `obfuscation` of another length: what closes the chunk behind the padding. */
  readonly closing: string | undefined;
  /** The `"usage":null` that this client does not see, counted from the delta's end. */
  readonly hidden: Bytes | undefined;
}

const padding = '"obfuscation":"';

/** The shape of a chunk that was found to say nothing but its delta; undefined where it has several. */
export function shapeOf(raw: string, hides: boolean, span: DeltaSpan): Shape | undefined {
  const from = valueAt(raw, '"delta"');
  scanDelta(raw, from, span);
  if (valueAt(raw, '"delta"', span.end) >= 0) return undefined;
  const cut = hides ? nullUsage(raw) : undefined;
  const pad = raw.indexOf(padding, span.end);
  // Behind the padding nothing has a fixed place.
  if (cut && pad >= 0 && cut.from > pad) return undefined;
  const quote = pad < 0 ? raw.length : pad + padding.length;
  return {
    before: raw.slice(0, from),
    behind: raw.slice(span.end, quote),
    closing: pad < 0 ? undefined : raw.slice(raw.indexOf('"', quote)),
    hidden: cut && { from: cut.from - span.end, to: cut.to - span.end },
  };
}

/**
 * Whether a chunk has this shape; its delta is then in `span`. Slices are compared, not `startsWith`, which takes five
 * times as long.
 */
export function fits(raw: string, { before, behind, closing }: Shape, span: DeltaSpan): boolean {
  if (raw.slice(0, before.length) !== before) return false;
  scanDelta(raw, before.length, span);
  if (closing === undefined) return raw.slice(span.end) === behind;
  const quote = span.end + behind.length;
  // The next quote must be the one that closes: a padding that holds an escaped one is read the slow way.
  const end = raw.indexOf('"', quote);
  return raw.slice(span.end, quote) === behind && raw.slice(end) === closing;
}
