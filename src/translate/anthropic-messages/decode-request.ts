// A Messages request into the neutral prompt.

import type { Decoded } from '../../exchange/codec.ts';
import type {
  Block,
  CacheMark,
  HostedTool,
  Loss,
  OutputFormat,
  Prompt,
  Reasoning,
  Tool,
  ToolChoice,
  Turn,
} from '../../exchange/prompt.ts';
import { finite, isObject, type Json, list, object, text } from '../json.ts';
import { expect, oneOf } from '../kinds.ts';
import { decodeCache, decodeContent } from './decode-blocks.ts';
import { request } from './kinds.ts';
import { wrong } from './outline.ts';
import { own } from './signature.ts';

/** Keys that have a neutral place, or that only say which version of the wire this is. */
const understood = new Set([
  'model',
  'messages',
  'system',
  'max_tokens',
  'stream',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'output_format',
  'metadata',
  'service_tier',
  'cache_control',
  'anthropic_version',
]);

export function decodeRequest(body: Json): Decoded {
  expect(body, request, '', wrong);
  const losses: Loss[] = [];
  const places: string[] = [];
  const tools: Tool[] = [];
  const hostedTools: HostedTool[] = [];
  list(body.tools).forEach((value, index) => {
    decodeTool(object(value), `tools[${index}]`, tools, hostedTools, losses);
  });
  const choice = object(body.tool_choice);
  const toolChoice = decodeToolChoice(body.tool_choice, losses);
  const reasoning = decodeReasoning(body, losses);
  const outputFormat = decodeOutputFormat(body, losses);
  const stop = list(body.stop_sequences).filter((each) => typeof each === 'string');
  const user = text(object(body.metadata).user_id);
  const tier = text(body.service_tier);
  const prompt: Prompt = {
    turns: decodeTurns(body, places, losses),
    tools,
    hostedTools,
    stream: body.stream === true,
    extra: extraOf(body),
    ...(toolChoice ? { toolChoice } : {}),
    ...(typeof choice.disable_parallel_tool_use === 'boolean'
      ? { parallelToolCalls: !choice.disable_parallel_tool_use }
      : {}),
    ...numbers(body),
    ...(stop.length > 0 ? { stop } : {}),
    ...(reasoning ? { reasoning } : {}),
    ...(outputFormat ? { outputFormat } : {}),
    ...(user === undefined ? {} : { user }),
    ...(tier === undefined ? {} : { tier: tier === 'standard_only' ? 'default' : tier }),
  };
  return { prompt, places, losses };
}

function numbers(body: Json): Partial<Prompt> {
  const outputLimit = finite(body.max_tokens);
  const temperature = finite(body.temperature);
  const topP = finite(body.top_p);
  const topK = finite(body.top_k);
  return {
    ...(outputLimit === undefined ? {} : { outputLimit }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(topK === undefined ? {} : { topK }),
  };
}

function extraOf(body: Json): Json {
  const extra: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(body)) if (!understood.has(key) && value !== null) extra[key] = value;
  for (const [key, value] of Object.entries(object(body.metadata))) {
    if (key !== 'user_id') extra[`metadata.${key}`] = value;
  }
  for (const [key, value] of Object.entries(object(body.output_config))) {
    if (key !== 'effort' && key !== 'format') extra[`output_config.${key}`] = value;
  }
  return extra;
}

function decodeTurns(body: Json, places: string[], losses: Loss[]): Turn[] {
  if (!Array.isArray(body.messages)) throw wrong('messages', 'a list of messages');
  const turns: Turn[] = [];
  const system = decodeContent(body.system, 'system', losses);
  if (system.length > 0) {
    turns.push({ role: 'system', content: system });
    places.push('system');
  }
  body.messages.forEach((value, index) => {
    const path = `messages[${index}]`;
    const role = object(value).role;
    if (role !== 'user' && role !== 'assistant' && role !== 'system') {
      throw wrong(`${path}.role`, 'user, assistant or system');
    }
    places.push(path);
    turns.push({ role, content: decodeContent(object(value).content, `${path}.content`, losses) });
  });
  const { cache } = decodeCache(body);
  return nameResults(cache ? markLast(turns, cache) : turns);
}

/** A top-level mark means: on the last block that can carry one. */
function markLast(turns: Turn[], cache: CacheMark): Turn[] {
  for (let index = turns.length - 1; index >= 0; index--) {
    const turn = turns[index];
    const at = turn?.content.findLastIndex(canBeMarked) ?? -1;
    const block = turn?.content[at];
    if (!turn || !block || !canBeMarked(block)) continue;
    if (block.cache) return turns;
    turns[index] = { ...turn, content: turn.content.with(at, { ...block, cache }) };
    return turns;
  }
  return turns;
}

function canBeMarked(block: Block): block is Exclude<Block, { type: 'reasoning' | 'refusal' | 'opaque' }> {
  return block.type !== 'reasoning' && block.type !== 'refusal' && block.type !== 'opaque';
}

/** Other formats want the tool's name on its result. */
function nameResults(turns: Turn[]): Turn[] {
  const names = new Map<string, string>();
  return turns.map((turn) => {
    if (!turn.content.some((block) => block.type === 'tool-call' || block.type === 'tool-result')) return turn;
    const content = turn.content.map((block) => {
      if (block.type === 'tool-call') names.set(block.id, block.name);
      const name = block.type === 'tool-result' ? names.get(block.id) : undefined;
      return block.type === 'tool-result' && name !== undefined ? { ...block, name } : block;
    });
    return { ...turn, content };
  });
}

const hostedKinds: readonly (readonly [string, HostedTool['kind']])[] = [
  ['web_search_', 'web-search'],
  ['code_execution_', 'code-execution'],
  ['web_fetch_', 'url-context'],
];

function decodeTool(tool: Json, path: string, tools: Tool[], hosted: HostedTool[], losses: Loss[]): void {
  const type = text(tool.type);
  if (type !== undefined && type !== 'custom') {
    const kind = hostedKinds.find(([start]) => type.startsWith(start))?.[1] ?? type;
    hosted.push({ place: path, origin: own, kind, value: tool });
    return;
  }
  for (const key of Object.keys(tool)) {
    if (!['type', 'name', 'description', 'input_schema', 'strict', 'cache_control'].includes(key)) {
      losses.push({ field: `${path}.${key}`, how: 'dropped' });
    }
  }
  const description = text(tool.description);
  tools.push({
    place: path,
    name: text(tool.name) ?? '',
    ...(description === undefined ? {} : { description }),
    ...(isObject(tool.input_schema) ? { schema: tool.input_schema } : {}),
    ...(typeof tool.strict === 'boolean' ? { strict: tool.strict } : {}),
    ...decodeCache(tool),
  });
}

const choices = ['auto', 'none', 'any', 'tool'] as const;

function decodeToolChoice(value: unknown, losses: Loss[]): ToolChoice | undefined {
  const kind = oneOf(choices, typeOf(value), 'tool_choice.type', losses);
  return kind === 'tool' ? { kind, name: text(object(value).name) ?? '' } : kind && { kind };
}

/** An object that does not say its type says nothing that can be kept. */
function typeOf(value: unknown): unknown {
  return isObject(value) ? (value.type ?? '') : undefined;
}

const efforts = ['low', 'medium', 'high', 'xhigh', 'max'] as const;
const switches = ['enabled', 'adaptive', 'disabled'] as const;
const displays = ['summarized', 'omitted'] as const;

function decodeReasoning(body: Json, losses: Loss[]): Reasoning | undefined {
  const thinking = object(body.thinking);
  const effort = oneOf(efforts, object(body.output_config).effort, 'output_config.effort', losses);
  const type = oneOf(switches, typeOf(body.thinking), 'thinking.type', losses);
  const display = oneOf(displays, thinking.display, 'thinking.display', losses);
  // Without an effort: `none` is a word that most models of other formats refuse.
  if (type === 'disabled') return { enabled: false };
  if (type === undefined) return effort ? { enabled: true, effort } : undefined;
  const budgetTokens = type === 'enabled' ? finite(thinking.budget_tokens) : undefined;
  return {
    enabled: true,
    ...(type === 'adaptive' ? { adaptive: true } : {}),
    ...(budgetTokens === undefined ? {} : { budgetTokens }),
    ...(effort ? { effort } : {}),
    visible: display ? display !== 'omitted' : 'by-default',
  };
}

function decodeOutputFormat(body: Json, losses: Loss[]): OutputFormat | undefined {
  const given = object(body.output_config).format ?? body.output_format;
  const format = object(given);
  if (format.type === 'json_schema' && isObject(format.schema)) {
    return { kind: 'schema', schema: format.schema, strict: true };
  }
  if (isObject(given)) losses.push({ field: 'output_config.format', how: 'dropped', note: 'not understood' });
  return undefined;
}
