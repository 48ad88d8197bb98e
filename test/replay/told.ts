// What a recording says of its usage, read the plain way, and what the gateway may change in its bytes.

import type { Format } from '../../src/exchange/format.ts';

export interface Told {
  readonly input: number;
  readonly output: number;
}

type Json = Readonly<Record<string, unknown>>;

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null;
const fields = (value: unknown): Json => (isJson(value) ? value : {});
const number = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** The JSON of each event, or of the one body. */
function objectsIn(text: string): Json[] {
  if (text.trimStart().startsWith('{')) return [fields(JSON.parse(text))];
  return text
    .split(/\r?\n/)
    .filter((line) => /^data:\s*\{/.test(line))
    .map((line) => fields(JSON.parse(line.slice('data:'.length))));
}

const readers: Readonly<Record<Format, (objects: readonly Json[]) => Told | undefined>> = {
  'openai-chat': (objects) => {
    const usage = objects.map((each) => each.usage ?? fields(each.x_groq).usage).findLast(isJson);
    if (!usage) return undefined;
    const input = number(usage.prompt_tokens);
    // Some providers leave the reasoning out of their completion tokens and count it in the total.
    return { input, output: Math.max(number(usage.completion_tokens), number(usage.total_tokens) - input) };
  },
  'anthropic-messages': (objects) => {
    const told = objects.flatMap((each) => [fields(each.message).usage, each.usage]).filter(isJson);
    const usage: Json = Object.assign({}, ...told) as Json;
    if (told.length === 0) return undefined;
    const cached = number(usage.cache_read_input_tokens) + number(usage.cache_creation_input_tokens);
    return { input: number(usage.input_tokens) + cached, output: number(usage.output_tokens) };
  },
  'gemini-generate': (objects) => {
    const usage = objects.map((each) => each.usageMetadata).findLast(isJson);
    if (!usage) return undefined;
    return {
      input: number(usage.promptTokenCount) + number(usage.toolUsePromptTokenCount),
      output: number(usage.candidatesTokenCount) + number(usage.thoughtsTokenCount),
    };
  },
};

/** Undefined where the provider never told. */
export function toldUsage(format: Format | undefined, text: string): Told | undefined {
  return format && readers[format](objectsIn(text));
}

/** The text without the price that the gateway puts into a usage, and without the one a provider had there before. */
export function withoutOwned(text: string): string {
  return text.replace(/,?"(?:cost|saved)":\s*(?:[\d.eE+-]+|null)(?=[,}])/g, '').replace(/\{,/g, '{');
}

/** The chunks of a chat stream as a client sees them that did not ask for usage. */
export function shownWithoutUsage(text: string, recorded = false): Json[] {
  return objectsIn(text).flatMap((chunk) => {
    if (!recorded) return [chunk];
    const { usage, ...rest } = chunk;
    return isJson(usage) && Array.isArray(rest.choices) && rest.choices.length === 0 ? [] : [rest];
  });
}
