// Stop reasons, both ways.

import type { FinishReason } from '../../exchange/part.ts';

const read: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool-calls',
  pause_turn: 'pause',
  refusal: 'refusal',
};

export function decodeFinish(word: string): FinishReason {
  return read[word] ?? 'other';
}

export function isOwnWord(raw: string | undefined): boolean {
  return raw !== undefined && raw in read;
}

export interface Stop {
  readonly stop_reason: string;
  readonly stop_sequence: string | null;
}

/** A word of this format's own (an answer on its way back) stays; any other is taken by its meaning. */
export function encodeFinish(reason: FinishReason, raw: string | undefined, sequence: string | undefined): Stop {
  if (raw !== undefined && read[raw] === reason) return { stop_reason: raw, stop_sequence: sequence ?? null };
  if (sequence !== undefined) return { stop_reason: 'stop_sequence', stop_sequence: sequence };
  return { stop_reason: words[reason], stop_sequence: null };
}

const words: Readonly<Record<FinishReason, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  'tool-calls': 'tool_use',
  'content-filter': 'refusal',
  refusal: 'refusal',
  pause: 'pause_turn',
  error: 'end_turn',
  other: 'end_turn',
};
