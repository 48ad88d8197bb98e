// The official `@google/genai` package.

import { type Content, type GenerateContentResponse, GoogleGenAI, type Part } from '@google/genai';
import { type Answer, type Ask, className, type Image, type MakeDriver, messageOf, statusOf, usd } from './driver.ts';
import { type Json, object } from './script.ts';

function picture(image: Image): Part {
  return 'url' in image
    ? { fileData: { fileUri: image.url, mimeType: 'image/png' } }
    : { inlineData: { data: image.base64, mimeType: image.mediaType } };
}

/** A tool that answers JSON gives its object, as the package's users do; others a text under `output`. */
function outcome(value: string): Json {
  return value.startsWith('{') ? object(JSON.parse(value)) : { output: value };
}

function content(turn: Ask['turns'][number]): Content {
  switch (turn.role) {
    case 'user':
      return { role: 'user', parts: [{ text: turn.text }, ...(turn.images ?? []).map(picture)] };
    case 'assistant':
      return { role: 'model', parts: [{ text: turn.text }] };
    case 'back':
      return { role: 'model', parts: turn.answer.kept as Part[] };
    case 'results':
      return {
        role: 'user',
        parts: turn.results.map(({ call, value }) => ({
          functionResponse: { id: call.id, name: call.name, response: outcome(value) },
        })),
      };
  }
}

function params(ask: Ask) {
  return {
    model: ask.model,
    contents: ask.turns.map(content),
    config: {
      maxOutputTokens: 4096,
      ...(ask.abort && { abortSignal: ask.abort.signal }),
      ...(ask.system !== undefined && { systemInstruction: ask.system }),
      ...(ask.tools && {
        tools: [
          {
            functionDeclarations: ask.tools.map(({ name, description, schema }) => ({
              name,
              description,
              parametersJsonSchema: schema,
            })),
          },
        ],
      }),
      ...(ask.schema && { responseMimeType: 'application/json', responseJsonSchema: ask.schema }),
      ...(ask.thinks && { thinkingConfig: { thinkingBudget: 2048, includeThoughts: true } }),
    },
  };
}

function read(chunks: readonly GenerateContentResponse[], cost: number | undefined, ask: Ask): Answer {
  const parts = chunks.flatMap((chunk) => chunk.candidates?.[0]?.content?.parts ?? []);
  const said = (thought: boolean): string =>
    parts.map((part) => ((part.thought === true) === thought ? (part.text ?? '') : '')).join('');
  const usage = chunks.findLast((chunk) => chunk.usageMetadata)?.usageMetadata;
  const told = object(usage).cost;
  const text = said(false);
  return {
    text,
    calls: parts.flatMap(({ functionCall: call }) =>
      call ? [{ id: call.id ?? '', name: call.name ?? '', input: call.args ?? {} }] : [],
    ),
    reasoning: said(true),
    usage: {
      input: usage?.promptTokenCount ?? 0,
      output: (usage?.candidatesTokenCount ?? 0) + (usage?.thoughtsTokenCount ?? 0),
    },
    cost: cost ?? (typeof told === 'number' ? told : undefined),
    ...(ask.schema && { parsed: JSON.parse(text) as unknown }),
    kept: parts,
  };
}

export const googleDriver: MakeDriver = (gateway) => {
  const client = new GoogleGenAI({ apiKey: gateway.key, httpOptions: { baseUrl: gateway.url } });
  return {
    name: '@google/genai',
    async ask(ask) {
      const answer = await client.models.generateContent(params(ask));
      return read([answer], usd(answer.sdkHttpResponse?.headers), ask);
    },
    async stream(ask) {
      const chunks: GenerateContentResponse[] = [];
      for await (const chunk of await client.models.generateContentStream(params(ask))) {
        chunks.push(chunk);
        if (chunk.candidates?.[0]?.content?.parts?.some((part) => part.text)) ask.abort?.abort();
      }
      return read(chunks, undefined, ask);
    },
    failure: (error) => ({ status: statusOf(error), message: messageOf(error), name: className(error) }),
  };
};
