// A chat request into the neutral prompt: every top-level field, with what has no neutral place kept in `extra`.

import type { Decoded } from '../../exchange/codec.ts';
import type { Surface } from '../../exchange/format.ts';
import type { HostedTool, Loss, OutputFormat, Prompt, Reasoning, Tool, ToolChoice } from '../../exchange/prompt.ts';
import { Refusal } from '../../exchange/refusal.ts';
import { boolean, compact, finite, isObject, type Json, list, object, text } from '../json.ts';
import { expect, oneOf } from '../kinds.ts';
import { cacheMark, decodeTurns } from './decode-messages.ts';
import { request } from './kinds.ts';
import { outputLimit, wrong } from './outline.ts';

const own = 'openai-chat';

/** Read below, or of no meaning to anybody but the gateway. */
const known = new Set(
  (
    'model messages stream stream_options max_tokens max_completion_tokens n temperature top_p top_k stop seed ' +
    'random_seed logprobs top_logprobs presence_penalty frequency_penalty logit_bias reasoning_effort reasoning ' +
    'thinking include_reasoning enable_thinking response_format verbosity modalities audio user safety_identifier ' +
    'service_tier tools functions tool_choice function_call parallel_tool_calls web_search_options'
  ).split(' '),
);

export function decodeRequest(body: Json, surface: Surface): Decoded {
  if (surface.kind !== 'generate') throw new Refusal('unknown_path', 'This path takes no prompt.');
  if (!Array.isArray(body.messages)) throw wrong('messages', 'an array');
  expect(body, request, '', wrong);
  const losses: Loss[] = [];
  const places: string[] = [];
  const turns = decodeTurns(body.messages, places, losses);
  const { tools, hostedTools } = decodeTools(body, losses);
  const extra: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(body)) {
    if (!known.has(key) && !asksNothing(key, value)) extra[key] = value;
  }
  const stop = typeof body.stop === 'string' ? [body.stop] : strings(body.stop);
  const bias = isObject(body.logit_bias) ? (body.logit_bias as Readonly<Record<string, number>>) : undefined;
  const modalities = strings(body.modalities);
  const audio = object(body.audio);
  const prompt: Record<keyof Prompt, unknown> = {
    turns,
    tools,
    hostedTools,
    toolChoice: decodeToolChoice(body.tool_choice ?? body.function_call, losses),
    parallelToolCalls: boolean(body.parallel_tool_calls),
    outputLimit: outputLimit(body),
    temperature: finite(body.temperature),
    topP: finite(body.top_p),
    topK: finite(body.top_k),
    stop: stop.length > 0 ? stop : undefined,
    seed: finite(body.seed) ?? finite(body.random_seed),
    choices: finite(body.n),
    logprobs: boolean(body.logprobs),
    topLogprobs: finite(body.top_logprobs),
    presencePenalty: finite(body.presence_penalty),
    frequencyPenalty: finite(body.frequency_penalty),
    logitBias: bias,
    reasoning: decodeReasoning(body, losses),
    outputFormat: decodeOutputFormat(body.response_format, losses),
    verbosity: text(body.verbosity),
    modalities: modalities.length > 0 ? modalities : undefined,
    audioOutput: isObject(body.audio) ? compact({ voice: voice(audio.voice), format: text(audio.format) }) : undefined,
    user: text(body.user) ?? text(body.safety_identifier),
    tier: text(body.service_tier),
    stream: body.stream === true,
    extra,
  };
  return { prompt: compact(prompt) as unknown as Prompt, places, losses };
}

/** Some clients send these in every request. */
function asksNothing(key: string, value: unknown): boolean {
  if (key === 'store') return value !== true;
  if (key === 'metadata' && isObject(value)) return Object.keys(value).length === 0;
  return value === null || value === undefined;
}

function voice(value: unknown): string | undefined {
  return text(value) ?? text(object(value).id);
}

function strings(value: unknown): string[] {
  return list(value).filter((item) => typeof item === 'string');
}

/** The field is the one in which encoders put the free text of earlier calls. */
const freeText = { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] };

function decodeTools(body: Json, losses: Loss[]): { tools: Tool[]; hostedTools: HostedTool[] } {
  const tools: Tool[] = [];
  const hostedTools: HostedTool[] = [];
  for (const [index, value] of list(body.tools).entries()) {
    const place = `tools[${index}]`;
    const wire = object(value);
    const body = object(wire.function ?? wire.custom);
    const name = text(body.name);
    if (name === undefined) {
      const type = text(wire.type);
      if (type === undefined) {
        throw new Refusal('invalid_request', `'${place}' has no name.`, { param: place });
      }
      hostedTools.push({ place, origin: own, kind: /web.?search/.test(type) ? 'web-search' : type, value });
      continue;
    }
    // A custom tool takes free text; elsewhere it can only be a function with one text field, which is not the same.
    const custom = isObject(wire.custom);
    if (custom) losses.push({ field: `${place}.custom`, how: 'changed', note: 'a function with one text' });
    const parameters = custom ? { parameters: freeText } : undefined;
    tools.push(decodeTool(place, name, { ...body, ...parameters }, cacheMark(wire) ?? cacheMark(body)));
  }
  for (const [index, value] of list(body.functions).entries()) {
    const wire = object(value);
    const name = text(wire.name);
    if (name !== undefined) tools.push(decodeTool(`functions[${index}]`, name, wire, undefined));
  }
  if (list(body.functions).length > 0) {
    losses.push({ field: 'functions', how: 'changed', note: 'calls come back as tool_calls' });
  }
  if (isObject(body.web_search_options)) {
    const value = { web_search_options: body.web_search_options };
    hostedTools.push({ place: 'web_search_options', origin: own, kind: 'web-search', value });
  }
  return { tools, hostedTools };
}

function decodeTool(place: string, name: string, wire: Json, cache: Tool['cache']): Tool {
  const description = text(wire.description);
  const strict = boolean(wire.strict);
  return {
    place,
    name,
    ...(description !== undefined && { description }),
    ...(isObject(wire.parameters) && { schema: wire.parameters }),
    ...(strict !== undefined && { strict }),
    ...(cache && { cache }),
  };
}

function decodeToolChoice(value: unknown, losses: Loss[]): ToolChoice | undefined {
  if (value === undefined || value === null) return undefined;
  if (value === 'auto' || value === 'none') return { kind: value };
  if (value === 'required' || value === 'any') return { kind: 'any' };
  const wire = object(value);
  const name = text(object(wire.function ?? wire.custom).name) ?? text(wire.name);
  if (name !== undefined) return { kind: 'tool', name };
  if (wire.type === 'allowed_tools') {
    const allowed = object(wire.allowed_tools ?? wire);
    const names = list(allowed.tools).map(
      (tool) => text(object(object(tool).function).name) ?? text(object(tool).name),
    );
    return {
      kind: 'allowed',
      names: names.filter((each) => each !== undefined),
      required: allowed.mode === 'required',
    };
  }
  if (wire.type === 'auto' || wire.type === 'none') return { kind: wire.type };
  if (wire.type === 'any' || wire.type === 'required') return { kind: 'any' };
  losses.push({ field: 'tool_choice', how: 'dropped', note: 'not understood' });
  return undefined;
}

/** `default` is Groq's word for saying nothing. */
const efforts = ['default', 'none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
const switches = ['enabled', 'adaptive', 'disabled'] as const;

/** `reasoning_effort` (OpenAI), `reasoning` (OpenRouter), `thinking` (DeepSeek, Z.ai), `enable_thinking` (Alibaba). */
function decodeReasoning(body: Json, losses: Loss[]): Reasoning | undefined {
  const router = object(body.reasoning);
  const thinking = object(body.thinking);
  const word =
    oneOf(efforts, body.reasoning_effort, 'reasoning_effort', losses) ??
    oneOf(efforts, router.effort, 'reasoning.effort', losses);
  const effort = word === 'default' ? undefined : word;
  const type = oneOf(switches, thinking.type, 'thinking.type', losses);
  const budgetTokens = finite(router.max_tokens) ?? finite(thinking.budget_tokens);
  const said = boolean(router.enabled) ?? boolean(body.enable_thinking) ?? (type && type !== 'disabled');
  const hidden = router.exclude === true || body.include_reasoning === false;
  const visible = hidden ? false : body.include_reasoning === true ? true : undefined;
  if (effort === undefined && budgetTokens === undefined && said === undefined && visible === undefined)
    return undefined;
  return {
    enabled: said ?? (effort !== undefined ? effort !== 'none' : true),
    ...(effort !== undefined && { effort }),
    ...(budgetTokens !== undefined && { budgetTokens }),
    ...(type === 'adaptive' && { adaptive: true }),
    ...(visible !== undefined && { visible }),
  };
}

function decodeOutputFormat(value: unknown, losses: Loss[]): OutputFormat | undefined {
  const wire = object(value);
  if (wire.type === 'text') return { kind: 'text' };
  if (wire.type === 'json_object' && !isObject(wire.schema)) return { kind: 'json' };
  const inner = isObject(wire.json_schema) ? wire.json_schema : wire;
  const schema = isObject(inner.schema) ? inner.schema : undefined;
  if ((wire.type === 'json_schema' || wire.type === 'json_object') && schema) {
    const name = text(inner.name);
    const description = text(inner.description);
    const strict = boolean(inner.strict);
    return {
      kind: 'schema',
      ...(name !== undefined && { name }),
      ...(description !== undefined && { description }),
      schema,
      ...(strict !== undefined && { strict }),
    };
  }
  if (value !== undefined && value !== null) {
    losses.push({ field: 'response_format', how: 'dropped', note: 'not understood' });
  }
  return undefined;
}
