// The types of a Gemini request's fields as proto JSON has them: either spelling of a name, numbers also as text, enums
// also by number, and one member where several may stand.

import { array, boolean, either, fields, type Kind, object, string } from '../kinds.ts';
import { camel, numberOf } from './wire.ts';

const message = (kinds: Readonly<Record<string, Kind>>): Kind => fields(kinds, camel);
const repeated = (kind: Kind): Kind => either(kind, array(kind));

const number: Kind = { wants: 'a number', accepts: (value) => numberOf(value) !== undefined };
const word: Kind = either(string, { wants: 'a number', accepts: Number.isInteger });

const blob = message({ mimeType: string, data: string, fileUri: string, displayName: string });

const part = message({
  text: string,
  thought: boolean,
  thoughtSignature: string,
  inlineData: blob,
  fileData: blob,
  mediaResolution: message({ level: word }),
  functionCall: message({ name: string, id: string, args: object, partialArgs: repeated(object) }),
  functionResponse: message({
    name: string,
    id: string,
    response: either(string, object),
    parts: repeated(message({ inlineData: blob, fileData: blob })),
  }),
});

/** A bare text stands for a part, as Google's own clients have it. */
const parts = either(string, part, array(either(string, part)));
const content = message({ role: string, parts });

const declaration = message({
  name: string,
  description: string,
  parameters: object,
  parametersJsonSchema: object,
});

const generationConfig = message({
  maxOutputTokens: number,
  temperature: number,
  topP: number,
  topK: number,
  seed: number,
  candidateCount: number,
  logprobs: number,
  presencePenalty: number,
  frequencyPenalty: number,
  stopSequences: repeated(string),
  responseLogprobs: boolean,
  responseMimeType: string,
  responseSchema: object,
  responseJsonSchema: object,
  _responseJsonSchema: object,
  responseModalities: either(string, number, array(word)),
  speechConfig: message({
    voiceConfig: message({ prebuiltVoiceConfig: message({ voiceName: string }) }),
  }),
  thinkingConfig: message({ thinkingBudget: number, thinkingLevel: word, includeThoughts: boolean }),
});

export const request = message({
  contents: either(string, content, array(content)),
  systemInstruction: either(string, content),
  tools: repeated(message({ functionDeclarations: repeated(declaration) })),
  toolConfig: message({
    functionCallingConfig: message({ mode: word, allowedFunctionNames: repeated(string) }),
  }),
  generationConfig,
  serviceTier: word,
});
