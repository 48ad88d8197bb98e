// A stream as the official library of each format reads it, down to how it ended.

import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import type { Format } from '../../src/exchange/format.ts';
import { object } from '../clients/script.ts';

export interface Read {
  readonly text: string;
  /** One for each choice, in their order. */
  readonly finish: readonly string[];
  readonly outputTokens: number;
  /** USD, as the stream's usage has it. */
  readonly cost: number | undefined;
}

type Reader = (
  gateway: { readonly url: string; readonly key: string },
  model: string,
  choices?: number,
) => Promise<Read>;

const prompt = 'Write without end.';

/** Each rejects with what its library raises. */
export const readers: Readonly<Record<Format, Reader>> = {
  async 'openai-chat'(gateway, model, n = 1) {
    const client = new OpenAI({ apiKey: gateway.key, baseURL: `${gateway.url}/v1` });
    const stream = client.chat.completions.stream({
      model,
      messages: [{ role: 'user', content: prompt }],
      stream_options: { include_usage: true },
      ...(n > 1 ? { n } : {}),
    });
    const { choices, usage } = await stream.finalChatCompletion();
    return {
      text: choices.map(({ message }) => message.content ?? '').join(''),
      finish: choices.map(({ finish_reason }) => finish_reason),
      outputTokens: usage?.completion_tokens ?? 0,
      cost: costIn(usage),
    };
  },
  async 'anthropic-messages'(gateway, model) {
    const client = new Anthropic({ apiKey: gateway.key, baseURL: gateway.url });
    const stream = client.messages.stream({ model, max_tokens: 8192, messages: [{ role: 'user', content: prompt }] });
    let cost: number | undefined;
    stream.on('streamEvent', (event) => {
      if (event.type === 'message_delta') cost = costIn(event.usage);
    });
    const { content, stop_reason, usage } = await stream.finalMessage();
    return {
      text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
      finish: [stop_reason ?? ''],
      outputTokens: usage.output_tokens,
      cost,
    };
  },
  async 'gemini-generate'(gateway, model) {
    const client = new GoogleGenAI({ apiKey: gateway.key, httpOptions: { baseUrl: gateway.url } });
    let text = '';
    let finish = '';
    let outputTokens = 0;
    let cost: number | undefined;
    for await (const chunk of await client.models.generateContentStream({ model, contents: prompt })) {
      for (const part of chunk.candidates?.[0]?.content?.parts ?? []) if (!part.thought) text += part.text ?? '';
      finish = chunk.candidates?.[0]?.finishReason ?? finish;
      outputTokens = chunk.usageMetadata?.candidatesTokenCount ?? outputTokens;
      cost = costIn(chunk.usageMetadata) ?? cost;
    }
    return { text, finish: [finish], outputTokens, cost };
  },
};

function costIn(usage: unknown): number | undefined {
  const { cost } = object(usage);
  return typeof cost === 'number' ? cost : undefined;
}
