// The official `@anthropic-ai/sdk` package.

import Anthropic from '@anthropic-ai/sdk';
import { type Answer, type Ask, className, type Image, type MakeDriver, messageOf, statusOf, usd } from './driver.ts';
import { object } from './script.ts';

type Message = Anthropic.MessageParam;

function picture(image: Image): Anthropic.ImageBlockParam {
  if ('url' in image) return { type: 'image', source: { type: 'url', url: image.url } };
  const media_type = image.mediaType as 'image/png';
  return { type: 'image', source: { type: 'base64', media_type, data: image.base64 } };
}

function message(turn: Ask['turns'][number]): Message {
  switch (turn.role) {
    case 'user':
      return {
        role: 'user',
        content: turn.images ? [{ type: 'text', text: turn.text }, ...turn.images.map(picture)] : turn.text,
      };
    case 'assistant':
      return { role: 'assistant', content: turn.text };
    case 'back':
      return { role: 'assistant', content: turn.answer.kept as Anthropic.ContentBlockParam[] };
    case 'results':
      return {
        role: 'user',
        content: turn.results.map(({ call, value }) => ({ type: 'tool_result', tool_use_id: call.id, content: value })),
      };
  }
}

function params(ask: Ask) {
  return {
    model: ask.model,
    max_tokens: 4096,
    messages: ask.turns.map(message),
    ...(ask.system !== undefined && { system: ask.system }),
    ...(ask.tools && {
      tools: ask.tools.map(({ name, description, schema }) => ({
        name,
        description,
        input_schema: schema as Anthropic.Tool.InputSchema,
      })),
    }),
    ...(ask.schema && { output_config: { format: { type: 'json_schema' as const, schema: ask.schema } } }),
    ...(ask.thinks && { thinking: { type: 'enabled' as const, budget_tokens: 2048 } }),
  };
}

function read(answer: Anthropic.Message, cost: number | undefined, ask: Ask): Answer {
  const text = answer.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
  const counted = object(answer.usage);
  return {
    text,
    calls: answer.content
      .filter((block) => block.type === 'tool_use')
      .map(({ id, name, input }) => ({ id, name, input: object(input) })),
    reasoning: answer.content.map((block) => (block.type === 'thinking' ? block.thinking : '')).join(''),
    usage: { input: answer.usage.input_tokens, output: answer.usage.output_tokens },
    cost: cost ?? (typeof counted.cost === 'number' ? counted.cost : undefined),
    ...(ask.schema && { parsed: JSON.parse(text) as unknown }),
    kept: answer.content,
  };
}

export const anthropicDriver: MakeDriver = (gateway) => {
  const client = new Anthropic({ apiKey: gateway.key, baseURL: gateway.url });
  const options = (ask: Ask) => ({
    ...(ask.retries !== undefined && { maxRetries: ask.retries }),
    ...(ask.abort && { signal: ask.abort.signal }),
  });
  return {
    name: '@anthropic-ai/sdk',
    async ask(ask) {
      const { data, response } = await client.messages.create(params(ask), options(ask)).withResponse();
      return read(data, usd(response.headers), ask);
    },
    async stream(ask) {
      const stream = client.messages.stream(params(ask), options(ask));
      stream.on('text', () => ask.abort?.abort());
      // The helper adds up the fields it knows; the event itself has the cost beside them.
      let cost: number | undefined;
      stream.on('streamEvent', (event) => {
        const told = event.type === 'message_delta' ? object(event.usage).cost : undefined;
        if (typeof told === 'number') cost = told;
      });
      return read(await stream.finalMessage(), cost, ask);
    },
    failure: (error) => ({ status: statusOf(error), message: messageOf(error), name: className(error) }),
  };
};
