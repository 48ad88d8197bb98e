// What the provider of a run says, in the shapes of the two wire formats.

export type UpstreamFormat = 'openai-chat' | 'anthropic-messages';

export interface StreamScript {
  /** Events before the first content, sent with the head. */
  readonly opening: string;
  chunk(text: string): string;
  /** Events after the last content, terminator included. */
  readonly closing: string;
}

export function formatOf(requestLine: string): UpstreamFormat | undefined {
  if (requestLine.includes('/chat/completions ')) return 'openai-chat';
  if (requestLine.includes('/messages ')) return 'anthropic-messages';
  return undefined;
}

const inputTokens = 120;
const sentence =
  'A gateway stands between programs and the models they call: it knows who asks, what it may cost and where it goes.';

const wholeBodies: Readonly<Record<UpstreamFormat, string>> = {
  'openai-chat': JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion',
    created: 1_760_000_000,
    model: 'm',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: sentence, refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: { prompt_tokens: inputTokens, completion_tokens: 24, total_tokens: inputTokens + 24 },
  }),
  'anthropic-messages': JSON.stringify({
    id: 'msg_bench',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [{ type: 'text', text: sentence }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: inputTokens, output_tokens: 24 },
  }),
};

function framed(body: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

const wholeAnswers: Readonly<Record<UpstreamFormat, string>> = {
  'openai-chat': framed(wholeBodies['openai-chat']),
  'anthropic-messages': framed(wholeBodies['anthropic-messages']),
};

/** Head and body, ready to write. */
export function wholeAnswer(format: UpstreamFormat): string {
  return wholeAnswers[format];
}

export function scriptFor(format: UpstreamFormat, chunks: number, wantsUsage: boolean): StreamScript {
  return format === 'openai-chat' ? openaiScript(chunks, wantsUsage) : anthropicScript(chunks);
}

const openaiStart =
  'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1760000000,"model":"m","choices":';

function openaiScript(chunks: number, wantsUsage: boolean): StreamScript {
  const usage = `{"prompt_tokens":${inputTokens},"completion_tokens":${chunks},"total_tokens":${inputTokens + chunks}}`;
  const usageChunk = wantsUsage ? `${openaiStart}[],"usage":${usage}}\n\n` : '';
  return {
    opening: `${openaiStart}[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n`,
    chunk: (text) => `${openaiStart}[{"index":0,"delta":{"content":"${text}"},"finish_reason":null}]}\n\n`,
    closing: `${openaiStart}[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n${usageChunk}data: [DONE]\n\n`,
  };
}

function event(data: { readonly type: string }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

function anthropicScript(chunks: number): StreamScript {
  const message = { id: 'msg_bench', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null };
  const start = {
    type: 'message_start',
    message: { ...message, usage: { input_tokens: inputTokens, output_tokens: 1 } },
  };
  const block = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } };
  const finish = {
    type: 'message_delta',
    delta: { stop_reason: 'end_turn', stop_sequence: null },
    usage: { output_tokens: chunks },
  };
  return {
    opening: event(start) + event(block),
    chunk: (text) =>
      `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"${text}"}}\n\n`,
    closing:
      event({ type: 'content_block_stop', index: 0 } as { type: string }) +
      event(finish) +
      event({ type: 'message_stop' }),
  };
}
