// The AI SDK (`ai`) with its provider for OpenAI-compatible servers.

import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, jsonSchema, type ModelMessage, Output, streamText, type ToolSet, tool } from 'ai';
import { type Answer, type Ask, className, type MakeDriver, messageOf, usd } from './driver.ts';
import { object } from './script.ts';

function message(turn: Ask['turns'][number]): ModelMessage[] {
  switch (turn.role) {
    case 'user':
      return [
        {
          role: 'user',
          content: [
            { type: 'text', text: turn.text },
            ...(turn.images ?? []).map((image) => ({
              type: 'file' as const,
              data: 'url' in image ? new URL(image.url) : image.base64,
              mediaType: 'url' in image ? 'image/png' : image.mediaType,
            })),
          ],
        },
      ];
    case 'assistant':
      return [{ role: 'assistant', content: turn.text }];
    case 'back':
      return turn.answer.kept as ModelMessage[];
    case 'results':
      return [
        {
          role: 'tool',
          content: turn.results.map(({ call, value }) => ({
            type: 'tool-result',
            toolCallId: call.id,
            toolName: call.name,
            output: { type: 'text', value },
          })),
        },
      ];
  }
}

function toolsOf(ask: Ask): ToolSet {
  const tools = (ask.tools ?? []).map(({ name, description, schema }) => [
    name,
    tool({ description, inputSchema: jsonSchema(schema) }),
  ]);
  return Object.fromEntries(tools) as ToolSet;
}

interface Result {
  readonly text: string;
  readonly toolCalls: readonly { toolCallId: string; toolName: string; input: unknown }[];
  readonly reasoningText: string | undefined;
  readonly usage: { inputTokens: number | undefined; outputTokens: number | undefined; raw?: unknown };
  readonly responseMessages: readonly ModelMessage[];
}

function read(result: Result, cost: number | undefined): Answer {
  const told = object(result.usage.raw).cost;
  return {
    text: result.text,
    calls: result.toolCalls.map(({ toolCallId, toolName, input }) => ({
      id: toolCallId,
      name: toolName,
      input: object(input),
    })),
    reasoning: result.reasoningText ?? '',
    usage: { input: result.usage.inputTokens ?? 0, output: result.usage.outputTokens ?? 0 },
    cost: cost ?? (typeof told === 'number' ? told : undefined),
    kept: result.responseMessages,
  };
}

export const aiSdkDriver: MakeDriver = (gateway) => {
  const provider = createOpenAICompatible({
    name: 'tollgate',
    baseURL: `${gateway.url}/v1`,
    apiKey: gateway.key,
    includeUsage: true,
    supportsStructuredOutputs: true,
    // Without this the library fetches pictures itself and sends their bytes.
    supportedUrls: () => ({ 'image/*': [/^https:/] }),
  });
  const params = (ask: Ask) => ({
    model: provider(ask.model),
    messages: ask.turns.flatMap(message),
    maxOutputTokens: 4096,
    ...(ask.system !== undefined && { instructions: ask.system }),
    ...(ask.tools && { tools: toolsOf(ask) }),
    ...(ask.retries !== undefined && { maxRetries: ask.retries }),
    ...(ask.abort && { abortSignal: ask.abort.signal }),
    ...(ask.thinks && { providerOptions: { tollgate: { reasoningEffort: 'low' } } }),
  });
  return {
    name: 'ai',
    async ask(ask) {
      if (ask.schema) {
        const output = Output.object({ schema: jsonSchema(ask.schema), name: 'city' });
        const result = await generateText({ ...params(ask), output });
        return { ...read(result, usd(result.response.headers)), parsed: result.output };
      }
      const result = await generateText(params(ask));
      return read(result, usd(result.response.headers));
    },
    async stream(ask) {
      let failed: unknown;
      const result = streamText({
        ...params(ask),
        onError: ({ error }) => {
          failed = error;
        },
      });
      for await (const part of result.fullStream) {
        if (part.type === 'text-delta') ask.abort?.abort();
        if (part.type === 'abort') throw new DOMException('aborted', 'AbortError');
      }
      if (failed) throw failed;
      return read(
        {
          text: await result.text,
          toolCalls: await result.toolCalls,
          reasoningText: await result.reasoningText,
          usage: await result.usage,
          responseMessages: await result.responseMessages,
        },
        undefined,
      );
    },
    failure(error) {
      const status = object(error as object).statusCode;
      return {
        status: typeof status === 'number' ? status : undefined,
        message: messageOf(error),
        name: className(error),
      };
    },
  };
};
