// What the built-in provider reads of an OpenAI chat request: only what changes its answer.

import { isObject } from './sim-schema.ts';
import { tokensOf } from './sim-text.ts';

export interface SimTool {
  readonly name: string;
  readonly schema: unknown;
}

export interface SimRequest {
  readonly model: string;
  /** Text of the last message that is not the assistant's own. */
  readonly asked: string;
  /** Every message as JSON: what the answer is drawn from. */
  readonly whole: string;
  readonly inputTokens: number;
  readonly maxTokens: number;
  readonly choices: number;
  readonly stop: readonly string[];
  readonly wantsUsage: boolean;
  /** The tools to call now; empty for an answer in text. */
  readonly calls: readonly SimTool[];
  /** Present where structured output is asked for; `true` for any JSON object. */
  readonly schema?: unknown;
  readonly reasons: boolean;
}

/** What is wrong with a request, with the field's name. */
export interface SimFault {
  readonly message: string;
  readonly param: string;
}

const tokensAMessage = 3;
const tokensAnImage = 85;

export function readRequest(body: Record<string, unknown>): SimRequest | SimFault {
  const messages = body.messages;
  if (!Array.isArray(messages) || messages.length === 0)
    return { message: "'messages' must be an array of at least one message.", param: 'messages' };
  const limit = body.max_completion_tokens ?? body.max_tokens ?? Number.POSITIVE_INFINITY;
  if (typeof limit !== 'number' || limit < 1)
    return { message: "'max_tokens' must be a number of at least 1.", param: 'max_tokens' };
  const choices = body.n ?? 1;
  if (typeof choices !== 'number' || !Number.isInteger(choices) || choices < 1 || choices > 128)
    return { message: "'n' must be a whole number from 1 to 128.", param: 'n' };
  const asked = textOf(messages.findLast((message) => isObject(message) && message.role !== 'assistant'));
  const last: unknown = messages.at(-1);
  const model = String(body.model);
  const schema = wantedSchema(body.response_format);
  return {
    model,
    asked,
    whole: JSON.stringify(messages),
    inputTokens: messages.reduce<number>((sum, message) => sum + tokensAMessage + inputTokensOf(message), 0),
    maxTokens: Math.floor(limit),
    choices,
    stop: (Array.isArray(body.stop) ? body.stop : [body.stop]).filter((one) => typeof one === 'string' && one !== ''),
    wantsUsage: isObject(body.stream_options) && body.stream_options.include_usage === true,
    calls: wantedCalls(body, isObject(last) && last.role === 'user', asked),
    ...(schema === undefined ? {} : { schema }),
    reasons: model === 'sim-reasoner' && body.reasoning_effort !== 'none',
  };
}

/**
 * A tool is called where the choice demands one, or where the last message is the user's and asks: a question, a word
 * like "use" or "call", or a part of the tool's name.
 */
function wantedCalls(body: Record<string, unknown>, userSpoke: boolean, asked: string): SimTool[] {
  const tools = (Array.isArray(body.tools) ? body.tools : []).flatMap(toolOf);
  const choice = body.tool_choice;
  if (tools.length === 0 || choice === 'none') return [];
  if (isObject(choice) && isObject(choice.function)) {
    const { name } = choice.function;
    return tools.filter((tool) => tool.name === name).slice(0, 1);
  }
  const wordsOfNames = tools
    .flatMap(({ name }) => name.toLowerCase().split(/[^a-z]+/))
    .filter((word) => word.length > 3);
  const lower = asked.toLowerCase();
  const asks = /\?|\b(?:use|call|tools?)\b/.test(lower) || wordsOfNames.some((word) => lower.includes(word));
  if (choice !== 'required' && !(userSpoke && asks)) return [];
  const many = body.parallel_tool_calls !== false && /\b(?:both|parallel|all tools)\b/.test(lower);
  return many ? tools.slice(0, Math.max(2, tools.length)) : tools.slice(0, 1);
}

function toolOf(tool: unknown): SimTool[] {
  if (!isObject(tool) || !isObject(tool.function) || typeof tool.function.name !== 'string') return [];
  return [{ name: tool.function.name, schema: tool.function.parameters ?? { type: 'object' } }];
}

function wantedSchema(format: unknown): unknown {
  if (!isObject(format)) return undefined;
  if (format.type === 'json_object') return true;
  return format.type === 'json_schema' && isObject(format.json_schema)
    ? (format.json_schema.schema ?? true)
    : undefined;
}

function textOf(message: unknown): string {
  if (!isObject(message)) return '';
  if (typeof message.content === 'string') return message.content;
  if (!Array.isArray(message.content)) return '';
  return message.content.map((part) => (isObject(part) && typeof part.text === 'string' ? part.text : '')).join(' ');
}

function inputTokensOf(message: unknown): number {
  if (!isObject(message)) return 0;
  const parts = Array.isArray(message.content) ? message.content : [];
  const images = parts.filter((part) => isObject(part) && part.type === 'image_url').length;
  const calls = message.tool_calls === undefined ? '' : JSON.stringify(message.tool_calls);
  return tokensOf(textOf(message)).length + tokensOf(calls).length + images * tokensAnImage;
}
