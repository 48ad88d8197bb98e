// A provider that speaks Anthropic's messages.

import { errorWords, type Json, list, object, pieces, type Said, type Seen, type Wire, words } from './script.ts';

function blocks(said: Said): Json[] {
  return [
    ...(said.reasoning
      ? [{ type: 'thinking', thinking: said.reasoning.text, signature: said.reasoning.signature }]
      : []),
    ...(said.text === undefined ? [] : [{ type: 'text', text: said.text }]),
    ...(said.calls ?? []).map(({ id, name, input }) => ({ type: 'tool_use', id, name, input })),
  ];
}

function usage({ input, output }: Said['usage']): Json {
  return {
    input_tokens: input,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    output_tokens: output,
    service_tier: 'standard',
  };
}

function envelope(said: Said, model: string): Json {
  return {
    model,
    id: 'msg_01XzTe9yRk3yAaHGdMRSpmUW',
    type: 'message',
    role: 'assistant',
    content: blocks(said),
    stop_reason: said.calls ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: usage(said.usage),
  };
}

/** The block as it opens, and the deltas that fill it. */
function opened(block: Json): { start: Json; deltas: Json[] } {
  switch (block.type) {
    case 'thinking':
      return {
        start: { type: 'thinking', thinking: '', signature: '' },
        deltas: [
          ...pieces(words(block.thinking), 9).map((thinking) => ({ type: 'thinking_delta', thinking })),
          { type: 'signature_delta', signature: block.signature },
        ],
      };
    case 'tool_use':
      return {
        start: { ...block, input: {} },
        deltas: ['', ...pieces(JSON.stringify(block.input), 6)].map((part) => ({
          type: 'input_json_delta',
          partial_json: part,
        })),
      };
    default:
      return {
        start: { type: 'text', text: '' },
        deltas: pieces(words(block.text), 7).map((text) => ({ type: 'text_delta', text })),
      };
  }
}

function stream(said: Said, model: string): string[] {
  const whole = envelope(said, model);
  const frames: string[] = [];
  const event = (type: string, value: Json): void => {
    frames.push(`event: ${type}\ndata: ${JSON.stringify({ type, ...value })}\n\n`);
  };
  const begun = { ...usage(said.usage), output_tokens: 1 };
  event('message_start', { message: { ...whole, content: [], stop_reason: null, usage: begun } });
  event('ping', {});
  for (const [index, block] of blocks(said).entries()) {
    const { start, deltas } = opened(block);
    event('content_block_start', { index, content_block: start });
    for (const delta of deltas) event('content_block_delta', { index, delta });
    event('content_block_stop', { index });
  }
  event('message_delta', {
    delta: { stop_reason: whole.stop_reason, stop_sequence: null },
    usage: { ...usage(said.usage), cache_creation: undefined, service_tier: undefined },
  });
  event('message_stop', {});
  return frames;
}

const types: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  429: 'rate_limit_error',
  500: 'api_error',
};

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return list(content)
    .map((block) => words(block.text))
    .join('');
}

function imageOf(block: Json): string {
  const source = object(block.source);
  return source.type === 'url'
    ? words(source.url)
    : `data:${words(source.media_type)};${words(source.type)},${words(source.data)}`;
}

function seen(_path: string, body: Json): Seen {
  const messages = list(body.messages);
  const all = messages.flatMap((message) => list(message.content));
  const calls = all.filter(({ type }) => type === 'tool_use');
  const format = object(object(body.output_config).format);
  return {
    model: words(body.model),
    stream: body.stream === true,
    system: textOf(body.system),
    spoken: messages.map((message) => `${words(message.role)}: ${textOf(message.content)}`),
    tools: list(body.tools).map(({ name, description, input_schema }) => ({
      name: words(name),
      description: words(description),
      schema: input_schema,
    })),
    calls: calls.map(({ name, input }) => ({ name: words(name), input })),
    results: all
      .filter(({ type }) => type === 'tool_result')
      .map((block) => ({
        name: words(calls.find(({ id }) => id === block.tool_use_id)?.name),
        value: textOf(block.content),
      })),
    images: all.filter(({ type }) => type === 'image').map(imageOf),
    schema: format.type === 'json_schema' ? format.schema : undefined,
    thinks: object(body.thinking).type === 'enabled',
    signatures: all.filter(({ type }) => type === 'thinking').map((block) => words(block.signature)),
    thoughts: all.filter(({ type }) => type === 'thinking').map((block) => words(block.thinking)),
  };
}

export const anthropicWire: Wire = {
  format: 'anthropic-messages',
  answer: envelope,
  stream,
  error: (status) => ({
    type: 'error',
    error: { type: types[status], message: errorWords[status] },
    request_id: 'req_011CSHoEeqs5C35K2UUqR7Fy',
  }),
  seen,
};
