// What a codec is told of an exchange, for tests: the same in every run.

import type { AnswerContext } from '../src/exchange/codec.ts';

export function answerContext(more: Partial<AnswerContext> = {}): AnswerContext {
  let next = 0;
  return {
    requestId: 'request-1',
    model: 'model-1',
    created: 1,
    framing: 'sse',
    wantsUsage: true,
    id: (prefix) => `${prefix}${next++}`,
    price: () => undefined,
    ...more,
  };
}
