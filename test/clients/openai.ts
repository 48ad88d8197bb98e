// The official `openai` package.

import OpenAI from 'openai';
import {
  type Answer,
  type Ask,
  className,
  dataUrl,
  type MakeDriver,
  messageOf,
  statusOf,
  type Turn,
  usd,
} from './driver.ts';
import { object, words } from './script.ts';

type Message = OpenAI.ChatCompletionMessageParam;

function message(turn: Turn): Message[] {
  switch (turn.role) {
    case 'user':
      if (!turn.images) return [{ role: 'user', content: turn.text }];
      return [
        {
          role: 'user',
          content: [
            { type: 'text', text: turn.text },
            ...turn.images.map((image) => ({ type: 'image_url' as const, image_url: { url: dataUrl(image) } })),
          ],
        },
      ];
    case 'assistant':
      return [{ role: 'assistant', content: turn.text }];
    case 'back':
      return [turn.answer.kept as Message];
    case 'results':
      return turn.results.map(({ call, value }) => ({ role: 'tool', tool_call_id: call.id, content: value }));
  }
}

function messages(ask: Ask): Message[] {
  const turns = ask.turns.flatMap(message);
  return ask.system === undefined ? turns : [{ role: 'system', content: ask.system }, ...turns];
}

function params(ask: Ask) {
  return {
    model: ask.model,
    messages: messages(ask),
    max_completion_tokens: 4096,
    ...(ask.tools && {
      tools: ask.tools.map(({ name, description, schema }) => ({
        type: 'function' as const,
        function: { name, description, parameters: schema },
      })),
    }),
    ...(ask.schema && {
      response_format: {
        type: 'json_schema' as const,
        json_schema: { name: 'city', schema: ask.schema, strict: true },
      },
    }),
    ...(ask.thinks && { reasoning_effort: 'low' as const }),
  };
}

function read(message: OpenAI.ChatCompletionMessage, usage: unknown, cost: number | undefined): Answer {
  const counted = object(usage);
  const calls = (message.tool_calls ?? []).filter((call) => call.type === 'function');
  return {
    text: message.content ?? '',
    calls: calls.map((call) => ({
      id: call.id,
      name: call.function.name,
      input: object(JSON.parse(call.function.arguments)),
    })),
    reasoning: reasoningOf(message),
    usage: { input: Number(counted.prompt_tokens), output: Number(counted.completion_tokens) },
    cost: cost ?? (typeof counted.cost === 'number' ? counted.cost : undefined),
    parsed: object(message).parsed,
    kept: message,
  };
}

/** The package has no type for thoughts; it hands on whatever fields came. */
function reasoningOf(message: unknown): string {
  const fields = object(message);
  return words(fields.reasoning_content) || words(fields.reasoning);
}

export const openaiDriver: MakeDriver = (gateway) => {
  const client = new OpenAI({ apiKey: gateway.key, baseURL: `${gateway.url}/v1` });
  const options = (ask: Ask) => ({
    ...(ask.retries !== undefined && { maxRetries: ask.retries }),
    ...(ask.abort && { signal: ask.abort.signal }),
  });
  return {
    name: 'openai',
    async ask(ask) {
      const { data, response } = await (ask.schema
        ? client.chat.completions.parse(params(ask), options(ask)).withResponse()
        : client.chat.completions.create(params(ask), options(ask)).withResponse());
      const message = data.choices[0]?.message;
      if (!message) throw new Error('no choice');
      return read(message, data.usage, usd(response.headers));
    },
    async stream(ask) {
      const stream = client.chat.completions.stream(
        { ...params(ask), stream_options: { include_usage: true } },
        options(ask),
      );
      // The helper keeps only the last of what it does not know: thoughts are read as they come, and go back as it has them.
      let reasoning = '';
      stream.on('chunk', (chunk) => {
        const delta = object(chunk.choices[0]?.delta);
        reasoning += reasoningOf(delta);
        if (words(delta.content) !== '') ask.abort?.abort();
      });
      const final = await stream.finalChatCompletion();
      const message = final.choices[0]?.message;
      if (!message) throw new Error('no choice');
      return { ...read(message, final.usage, undefined), reasoning };
    },
    failure: (error) => ({ status: statusOf(error), message: messageOf(error), name: className(error) }),
  };
};
