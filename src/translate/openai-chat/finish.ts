// Finish reasons, both ways.

import type { FinishReason } from '../../exchange/part.ts';

const read: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  eos: 'stop',
  length: 'length',
  model_length: 'length',
  max_tokens: 'length',
  tool_calls: 'tool-calls',
  tool_call: 'tool-calls',
  function_call: 'tool-calls',
  content_filter: 'content-filter',
  error: 'error',
  insufficient_system_resource: 'error',
};

/** `stop` after a tool call is what forced calls end with; other formats know only one way to end with a call. */
export function decodeFinish(word: string, calledTool: boolean, refused: boolean): FinishReason {
  const reason = read[word] ?? 'other';
  if (reason !== 'stop') return reason;
  return calledTool ? 'tool-calls' : refused ? 'refusal' : 'stop';
}

/** For an answer that ended without saying why. */
export function unsaidFinish(calledTool: boolean): string {
  return calledTool ? 'tool_calls' : 'stop';
}

/** `refused` says whether refusal text was sent: then OpenAI ends with `stop`. Of answers that failed none come here. */
export function encodeFinish(reason: FinishReason, refused: boolean): string {
  switch (reason) {
    case 'length':
      return 'length';
    case 'tool-calls':
      return 'tool_calls';
    case 'content-filter':
      return 'content_filter';
    case 'refusal':
      return refused ? 'stop' : 'content_filter';
    default:
      return 'stop';
  }
}
