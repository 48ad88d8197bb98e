// What the scripted provider says, in each wire format: a stream's events, a whole answer, an error.

import type { Format } from '../src/exchange/format.ts';

export interface Said {
  readonly model: string;
  readonly words: readonly string[];
  readonly inputTokens: number;
  /** Hidden thoughts that it bills for. */
  readonly reasoningTokens?: number;
}

const event = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const line = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;

/** The events before the first word, one for each word, and those after the last; the terminator stands last. */
export interface Script {
  readonly before: readonly string[];
  readonly words: readonly string[];
  readonly after: readonly string[];
}

function chatUsage(input: number, words: number, reasoning: number): Record<string, unknown> {
  const output = words + reasoning;
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    ...(reasoning > 0 ? { completion_tokens_details: { reasoning_tokens: reasoning } } : {}),
  };
}

export const scripts: Readonly<Record<Format, (said: Said) => Script>> = {
  'openai-chat': ({ model, words, inputTokens, reasoningTokens = 0 }) => {
    const chunk = (delta: unknown, finish: string | null = null): string =>
      line({
        id: 'c-1',
        object: 'chat.completion.chunk',
        created: 7,
        model,
        choices: [{ index: 0, delta, finish_reason: finish }],
      });
    const usage = chatUsage(inputTokens, words.length, reasoningTokens);
    return {
      before: [chunk({ role: 'assistant', content: '' })],
      words: words.map((content) => chunk({ content })),
      after: [
        chunk({}, 'stop'),
        line({ id: 'c-1', object: 'chat.completion.chunk', created: 7, model, choices: [], usage }),
        'data: [DONE]\n\n',
      ],
    };
  },
  'anthropic-messages': ({ model, words, inputTokens }) => ({
    before: [
      event('message_start', {
        type: 'message_start',
        message: {
          id: 'msg_1',
          type: 'message',
          role: 'assistant',
          model,
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: inputTokens, output_tokens: 1 },
        },
      }),
      event('content_block_start', {
        type: 'content_block_start',
        index: 0,
        content_block: { type: 'text', text: '' },
      }),
    ],
    words: words.map((text) =>
      event('content_block_delta', { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
    ),
    after: [
      event('content_block_stop', { type: 'content_block_stop', index: 0 }),
      event('message_delta', {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { output_tokens: words.length },
      }),
      event('message_stop', { type: 'message_stop' }),
    ],
  }),
  'gemini-generate': ({ model, words, inputTokens, reasoningTokens = 0 }) => {
    const chunk = (text: string, count: number, last: boolean): string =>
      line({
        candidates: [
          { content: { role: 'model', parts: [{ text }] }, index: 0, ...(last ? { finishReason: 'STOP' } : {}) },
        ],
        usageMetadata: {
          promptTokenCount: inputTokens,
          candidatesTokenCount: count,
          ...(last && reasoningTokens > 0 ? { thoughtsTokenCount: reasoningTokens } : {}),
          totalTokenCount: inputTokens + count + (last ? reasoningTokens : 0),
        },
        modelVersion: model,
        responseId: 'r-1',
      });
    return {
      before: [],
      words: words.slice(0, -1).map((text, index) => chunk(text, index + 1, false)),
      after: [chunk(words.at(-1) ?? '', words.length, true)],
    };
  },
};

export const answers: Readonly<Record<Format, (said: Said) => unknown>> = {
  'openai-chat': ({ model, words, inputTokens, reasoningTokens = 0 }) => ({
    id: 'c-1',
    object: 'chat.completion',
    created: 7,
    model,
    choices: [{ index: 0, message: { role: 'assistant', content: words.join('') }, finish_reason: 'stop' }],
    usage: chatUsage(inputTokens, words.length, reasoningTokens),
  }),
  'anthropic-messages': ({ model, words, inputTokens }) => ({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model,
    content: [{ type: 'text', text: words.join('') }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: inputTokens, output_tokens: words.length },
  }),
  'gemini-generate': ({ model, words, inputTokens }) => ({
    candidates: [{ content: { role: 'model', parts: [{ text: words.join('') }] }, index: 0, finishReason: 'STOP' }],
    usageMetadata: {
      promptTokenCount: inputTokens,
      candidatesTokenCount: words.length,
      totalTokenCount: inputTokens + words.length,
    },
    modelVersion: model,
    responseId: 'r-1',
  }),
};

export const errors: Readonly<Record<Format, (status: number, message: string) => unknown>> = {
  'openai-chat': (_, message) => ({ error: { message, type: 'server_error', code: null, param: null } }),
  'anthropic-messages': (status, message) => ({
    type: 'error',
    error: { type: status === 429 ? 'rate_limit_error' : 'overloaded_error', message },
  }),
  'gemini-generate': (status, message) => ({
    error: { code: status, message, status: status === 429 ? 'RESOURCE_EXHAUSTED' : 'UNAVAILABLE' },
  }),
};

/** An error that tells what it is billed beside what went wrong. */
export function billedError(format: Format, message: string, said: Said): Record<string, unknown> {
  const { usage, usageMetadata } = answers[format](said) as Record<string, unknown>;
  const bill = format === 'gemini-generate' ? { usageMetadata } : { usage };
  return { ...(errors[format](503, message) as Record<string, unknown>), ...bill };
}

/** An error as one event of a stream. */
export function errorEvent(format: Format, message: string, body = errors[format](503, message)): string {
  return format === 'anthropic-messages' ? event('error', body) : line(body);
}
