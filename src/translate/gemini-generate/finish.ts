// Why an answer ended: Gemini's words and the neutral ones.

import type { FinishReason } from '../../exchange/part.ts';

/** In the order of their numbers, for answers with integer enums. */
const words = [
  'FINISH_REASON_UNSPECIFIED',
  'STOP',
  'MAX_TOKENS',
  'SAFETY',
  'RECITATION',
  'OTHER',
  'LANGUAGE',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'MALFORMED_FUNCTION_CALL',
  'IMAGE_SAFETY',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_OTHER',
  'NO_IMAGE',
  'IMAGE_RECITATION',
];

const blockReasons = ['BLOCK_REASON_UNSPECIFIED', 'SAFETY', 'OTHER', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'IMAGE_SAFETY'];

const neutral: Readonly<Record<string, FinishReason>> = {
  STOP: 'stop',
  MAX_TOKENS: 'length',
  SAFETY: 'content-filter',
  RECITATION: 'content-filter',
  BLOCKLIST: 'content-filter',
  PROHIBITED_CONTENT: 'content-filter',
  SPII: 'content-filter',
  IMAGE_SAFETY: 'content-filter',
  IMAGE_PROHIBITED_CONTENT: 'content-filter',
  IMAGE_RECITATION: 'content-filter',
  MODEL_ARMOR: 'content-filter',
  MALFORMED_FUNCTION_CALL: 'error',
  UNEXPECTED_TOOL_CALL: 'error',
  TOO_MANY_TOOL_CALLS: 'error',
  MISSING_THOUGHT_SIGNATURE: 'error',
  MALFORMED_RESPONSE: 'error',
};

const more = ['LANGUAGE', 'OTHER', 'NO_IMAGE', 'IMAGE_OTHER', 'CONTINUATION'];

/** The provider's word; undefined where the answer has not ended. */
export function finishWord(value: unknown): string | undefined {
  const word = typeof value === 'number' ? (words[value] ?? String(value)) : value;
  return typeof word === 'string' && word !== '' && word !== 'FINISH_REASON_UNSPECIFIED' ? word : undefined;
}

export function blockWord(value: unknown): string | undefined {
  const word = typeof value === 'number' ? (blockReasons[value] ?? String(value)) : value;
  return typeof word === 'string' && word !== '' ? word : undefined;
}

export function neutralFinish(word: string, calledTools: boolean): FinishReason {
  const reason = neutral[word] ?? 'other';
  return reason === 'stop' && calledTools ? 'tool-calls' : reason;
}

const gemini: Readonly<Record<FinishReason, string>> = {
  stop: 'STOP',
  length: 'MAX_TOKENS',
  'tool-calls': 'STOP',
  'content-filter': 'SAFETY',
  refusal: 'SAFETY',
  pause: 'OTHER',
  error: 'OTHER',
  other: 'OTHER',
};

/** A provider's own Gemini word survives; another's that has no equal stands in `finishMessage`. */
export function encodeFinish(
  reason: FinishReason,
  raw: string | undefined,
): { finishReason: string; finishMessage?: string } {
  if (raw !== undefined && (raw in neutral || more.includes(raw)))
    return { finishReason: raw === 'MODEL_ARMOR' ? 'SAFETY' : raw };
  const finishReason = gemini[reason];
  const exact = reason === 'stop' || reason === 'length' || reason === 'tool-calls';
  return exact || raw === undefined ? { finishReason } : { finishReason, finishMessage: raw };
}
