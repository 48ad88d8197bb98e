// LangChain's `ChatOpenAI`.

import {
  AIMessage,
  type AIMessageChunk,
  type BaseMessage,
  HumanMessage,
  SystemMessage,
  ToolMessage,
} from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import {
  type Answer,
  type Ask,
  className,
  dataUrl,
  type MakeDriver,
  messageOf,
  statusOf,
  type Turn,
} from './driver.ts';
import { object, words } from './script.ts';

function message(turn: Turn): BaseMessage[] {
  switch (turn.role) {
    case 'user':
      return [
        new HumanMessage({
          content: [
            { type: 'text', text: turn.text },
            ...(turn.images ?? []).map((image) => ({ type: 'image_url', image_url: { url: dataUrl(image) } })),
          ],
        }),
      ];
    case 'assistant':
      return [new AIMessage(turn.text)];
    case 'back':
      return [turn.answer.kept as BaseMessage];
    case 'results':
      return turn.results.map(
        ({ call, value }) => new ToolMessage({ tool_call_id: call.id, name: call.name, content: value }),
      );
  }
}

function messages(ask: Ask): BaseMessage[] {
  const turns = ask.turns.flatMap(message);
  return ask.system === undefined ? turns : [new SystemMessage(ask.system), ...turns];
}

function read(message: AIMessage | AIMessageChunk): Answer {
  const usage = object(object(message.response_metadata).usage);
  const counted = object(message.usage_metadata);
  return {
    text: message.text,
    calls: (message.tool_calls ?? []).map(({ id, name, args }) => ({ id: id ?? '', name, input: args })),
    reasoning: words(message.additional_kwargs.reasoning_content),
    usage: { input: Number(counted.input_tokens), output: Number(counted.output_tokens) },
    cost: typeof usage.cost === 'number' ? usage.cost : undefined,
    kept: message,
  };
}

export const langchainDriver: MakeDriver = (gateway) => {
  const model = (ask: Ask): ChatOpenAI =>
    new ChatOpenAI({
      model: ask.model,
      apiKey: gateway.key,
      configuration: { baseURL: `${gateway.url}/v1` },
      maxTokens: 4096,
      useResponsesApi: false,
      ...(ask.retries !== undefined && { maxRetries: ask.retries }),
      ...(ask.thinks && { modelKwargs: { reasoning_effort: 'low' } }),
    });
  const bound = (ask: Ask) => {
    if (!ask.tools) return model(ask);
    return model(ask).bindTools(
      ask.tools.map(({ name, description, schema }) => ({
        type: 'function' as const,
        function: { name, description, parameters: schema },
      })),
    );
  };
  const options = (ask: Ask) => (ask.abort ? { signal: ask.abort.signal } : {});
  return {
    name: '@langchain/openai',
    async ask(ask) {
      if (!ask.schema) return read(await bound(ask).invoke(messages(ask), options(ask)));
      const structured = model(ask).withStructuredOutput(ask.schema, {
        name: 'city',
        method: 'jsonSchema',
        includeRaw: true,
        strict: true,
      });
      const { raw, parsed } = await structured.invoke(messages(ask), options(ask));
      return { ...read(raw as AIMessage), parsed };
    },
    async stream(ask) {
      let whole: AIMessageChunk | undefined;
      for await (const chunk of await bound(ask).stream(messages(ask), options(ask))) {
        whole = whole ? whole.concat(chunk) : chunk;
        if (chunk.text !== '') ask.abort?.abort();
      }
      if (!whole) throw new Error('nothing came');
      return read(whole);
    },
    failure: (error) => ({ status: statusOf(error), message: messageOf(error), name: className(error) }),
  };
};
