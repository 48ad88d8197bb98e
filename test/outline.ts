// The outline of a plain chat request, streamed, of which a test says what is otherwise.

import type { Outline } from '../src/exchange/outline.ts';

export function plainOutline(more: Partial<Outline> = {}): Outline {
  return {
    format: 'openai-chat',
    model: 'm',
    stream: true,
    wantsUsage: true,
    choices: 1,
    tools: 0,
    paidTools: [],
    images: 0,
    documents: 0,
    audio: 0,
    bytes: 0,
    mediaBytes: 0,
    ...more,
  };
}
