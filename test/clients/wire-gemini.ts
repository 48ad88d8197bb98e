// A provider that speaks Gemini's generateContent.

import { errorWords, type Json, list, object, pieces, type Said, type Seen, type Wire, words } from './script.ts';

function usage({ input, output, reasoning = 0 }: Said['usage']): Json {
  return {
    promptTokenCount: input,
    candidatesTokenCount: output - reasoning,
    totalTokenCount: input + output,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: input }],
    ...(reasoning > 0 && { thoughtsTokenCount: reasoning }),
  };
}

/** Thoughts first; their proof stands on the first call, or on the text where there is none. */
function parts(said: Said, size: number): Json[] {
  const proof = said.reasoning && { thoughtSignature: said.reasoning.signature };
  const texts: Json[] = pieces(said.text ?? '', size).map((text) => ({ text }));
  const calls = (said.calls ?? []).map(({ id, name, input }, index) => ({
    functionCall: { id, name, args: input },
    ...(index === 0 && proof),
  }));
  if (proof && calls.length === 0) texts[texts.length - 1] = { ...texts.at(-1), ...proof };
  const thoughts = pieces(said.reasoning?.text ?? '', size).map((text) => ({ text, thought: true }));
  return [...thoughts, ...texts, ...calls];
}

const tail = { responseId: 'oKskaY3ZFZ-xmtkP1s2o8Ac' };

function answer(said: Said, model: string): unknown {
  return {
    candidates: [{ content: { parts: parts(said, 10_000), role: 'model' }, finishReason: 'STOP', index: 0 }],
    usageMetadata: usage(said.usage),
    modelVersion: model,
    ...tail,
  };
}

function stream(said: Said, model: string): string[] {
  const all = parts(said, 8);
  return all.map((part, index) => {
    const last = index === all.length - 1;
    const candidate = { content: { parts: [part], role: 'model' }, ...(last && { finishReason: 'STOP' }), index: 0 };
    const chunk = { candidates: [candidate], usageMetadata: usage(said.usage), modelVersion: model, ...tail };
    return `data: ${JSON.stringify(chunk)}\r\n\r\n`;
  });
}

const statuses: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
};

function textOf(content: unknown): string {
  return list(object(content).parts)
    .filter((part) => part.thought !== true)
    .map((part) => words(part.text))
    .join('');
}

function imageOf(part: Json): string[] {
  const inline = object(part.inlineData);
  if (inline.data !== undefined) return [`data:${words(inline.mimeType)};base64,${words(inline.data)}`];
  const file = object(part.fileData);
  return file.fileUri === undefined ? [] : [words(file.fileUri)];
}

/** A tool's output as Google's own compatibility layers wrap it. */
function unwrapped(response: unknown): string {
  const { result, output, content } = object(response);
  const value = result ?? output ?? content ?? response;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function seen(path: string, body: Json): Seen {
  const contents = list(body.contents);
  const all = contents.flatMap((content) => list(content.parts));
  const config = object(body.generationConfig);
  return {
    model: /\/models\/([^:]+):/.exec(path)?.[1] ?? '',
    stream: path.includes(':streamGenerateContent'),
    system: textOf(body.systemInstruction),
    spoken: contents.map((content) => `${content.role === 'model' ? 'assistant' : 'user'}: ${textOf(content)}`),
    tools: list(body.tools)
      .flatMap((tool) => list(tool.functionDeclarations))
      .map(({ name, description, parametersJsonSchema, parameters }) => ({
        name: words(name),
        description: words(description),
        schema: parametersJsonSchema ?? parameters,
      })),
    calls: all
      .filter((part) => part.functionCall !== undefined)
      .map((part) => ({ name: words(object(part.functionCall).name), input: object(part.functionCall).args })),
    results: all
      .filter((part) => part.functionResponse !== undefined)
      .map((part) => {
        const { name, response } = object(part.functionResponse);
        return { name: words(name), value: unwrapped(response) };
      }),
    images: all.flatMap(imageOf),
    schema:
      config.responseMimeType === 'application/json' ? (config.responseJsonSchema ?? config.responseSchema) : undefined,
    thinks: Number(object(config.thinkingConfig).thinkingBudget) > 0,
    signatures: all.flatMap((part) => (part.thoughtSignature === undefined ? [] : [words(part.thoughtSignature)])),
  };
}

export const geminiWire: Wire = {
  format: 'gemini-generate',
  answer,
  stream,
  error: (status) => ({ error: { code: status, message: errorWords[status], status: statuses[status] } }),
  seen,
};
