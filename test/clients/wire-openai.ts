// A provider that speaks OpenAI's chat completions; reasoning as routers on this wire tell it (`reasoning_details`).

import { errorWords, type Json, list, object, pieces, type Said, type Seen, type Wire, words } from './script.ts';

const head = {
  id: 'chatcmpl-CkQ7x2vY',
  created: 1764000000,
  system_fingerprint: 'fp_b40fb1c6fb',
  service_tier: 'default',
};

function usage({ input, output, reasoning = 0 }: Said['usage']): Json {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

const detail = { type: 'reasoning.text', format: 'anthropic-claude-v1', index: 0 };
const finish = (said: Said): string => (said.calls ? 'tool_calls' : 'stop');

function answer(said: Said, model: string): unknown {
  const { reasoning } = said;
  const message = {
    role: 'assistant',
    content: said.text ?? null,
    refusal: null,
    annotations: [],
    ...(reasoning && {
      reasoning: reasoning.text,
      reasoning_details: [{ ...detail, text: reasoning.text, signature: reasoning.signature }],
    }),
    ...(said.calls && {
      tool_calls: said.calls.map(({ id, name, input }) => ({
        id,
        type: 'function',
        function: { name, arguments: JSON.stringify(input) },
      })),
    }),
  };
  const choice = { index: 0, message, logprobs: null, finish_reason: finish(said) };
  return { ...head, object: 'chat.completion', model, choices: [choice], usage: usage(said.usage) };
}

function stream(said: Said, model: string): string[] {
  const chunk = (choices: unknown[], extra: Json = {}): string =>
    `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', model, choices, ...extra })}\n\n`;
  const delta = (value: Json, reason: string | null = null): string =>
    chunk([{ index: 0, delta: value, logprobs: null, finish_reason: reason }]);
  const frames = [delta({ role: 'assistant', content: said.calls ? null : '', refusal: null })];
  if (said.reasoning) {
    for (const text of pieces(said.reasoning.text, 9))
      frames.push(delta({ reasoning: text, reasoning_details: [{ ...detail, text }] }));
    frames.push(delta({ reasoning_details: [{ ...detail, signature: said.reasoning.signature }] }));
  }
  for (const content of pieces(said.text ?? '', 7)) frames.push(delta({ content }));
  for (const [index, { id, name, input }] of (said.calls ?? []).entries()) {
    frames.push(delta({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] }));
    for (const part of pieces(JSON.stringify(input), 6))
      frames.push(delta({ tool_calls: [{ index, function: { arguments: part } }] }));
  }
  frames.push(delta({}, finish(said)), chunk([], { usage: usage(said.usage) }), 'data: [DONE]\n\n');
  return frames;
}

const errors: Readonly<Record<number, Json>> = {
  400: { type: 'invalid_request_error', param: 'temperature', code: 'decimal_above_max_value' },
  429: { type: 'requests', param: null, code: 'rate_limit_exceeded' },
  500: { type: 'server_error', param: null, code: null },
};

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return list(content)
    .map((part) => words(part.text))
    .join('');
}

function seen(_path: string, body: Json): Seen {
  const messages = list(body.messages);
  const calls = messages.flatMap((message) => list(message.tool_calls));
  const nameOf = (id: unknown): string => words(object(calls.find((call) => call.id === id)?.function).name);
  const format = object(body.response_format);
  return {
    model: words(body.model),
    stream: body.stream === true,
    system: messages
      .filter(({ role }) => role === 'system' || role === 'developer')
      .map((message) => textOf(message.content))
      .join('\n'),
    spoken: messages
      .filter(({ role }) => role === 'user' || role === 'assistant')
      .map((message) => `${words(message.role)}: ${textOf(message.content)}`),
    tools: list(body.tools).map((tool) => {
      const { name, description, parameters } = object(tool.function);
      return { name: words(name), description: words(description), schema: parameters };
    }),
    calls: calls.map((call) => {
      const { name, arguments: input } = object(call.function);
      return { name: words(name), input: JSON.parse(words(input)) as unknown };
    }),
    results: messages
      .filter(({ role }) => role === 'tool')
      .map((message) => ({ name: nameOf(message.tool_call_id), value: textOf(message.content) })),
    images: messages
      .flatMap((message) => list(message.content))
      .filter(({ type }) => type === 'image_url')
      .map((part) => words(object(part.image_url).url)),
    schema: format.type === 'json_schema' ? object(format.json_schema).schema : undefined,
    thinks: body.reasoning_effort !== undefined,
    signatures: messages.flatMap((message) => list(message.reasoning_details)).map((entry) => words(entry.signature)),
  };
}

export const openaiWire: Wire = {
  format: 'openai-chat',
  answer,
  stream,
  error: (status) => ({ error: { message: errorWords[status], ...errors[status] } }),
  seen,
};
