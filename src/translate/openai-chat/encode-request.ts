// The neutral prompt as a chat request for one provider, with its quirks, and a note of everything that found no place.

import type { Encoded } from '../../exchange/codec.ts';
import type { Loss, OutputFormat, Prompt, Reasoning, Tool, ToolChoice } from '../../exchange/prompt.ts';
import type { Target } from '../../exchange/target.ts';
import { compact, isObject, object } from '../json.ts';
import { encodeTurns } from './encode-messages.ts';

const own = 'openai-chat';
type Wire = Record<string, unknown>;

export function encodeRequest(prompt: Prompt, target: Target): Encoded {
  const losses: Loss[] = [];
  const quirk = (name: string): boolean => target.provider.quirks.includes(name);
  const style = {
    reasoningContent: quirk('reasoning-content'),
    developerRole: !quirk('no-developer-role'),
    cacheControl: quirk('cache-control'),
    video: !quirk('no-video'),
  };
  const hosted = encodeHostedTools(prompt, losses);
  const tools = [...prompt.tools.map((tool) => encodeTool(tool, style.cacheControl, losses)), ...hosted.tools];
  const choice = tools.length > 0 ? prompt.toolChoice : undefined;
  const limit = prompt.outputLimit;
  const seed = prompt.seed;
  const messages = encodeTurns(prompt.turns, style, losses);
  const body = compact({
    model: target.model,
    messages,
    [quirk('max-tokens') ? 'max_tokens' : 'max_completion_tokens']: limit,
    temperature: prompt.temperature,
    top_p: prompt.topP,
    top_k: quirk('top-k') ? prompt.topK : undefined,
    stop: prompt.stop,
    [quirk('random-seed') ? 'random_seed' : 'seed']: seed,
    n: prompt.choices,
    logprobs: prompt.logprobs,
    top_logprobs: prompt.topLogprobs,
    presence_penalty: prompt.presencePenalty,
    frequency_penalty: prompt.frequencyPenalty,
    logit_bias: prompt.logitBias,
    ...encodeReasoning(prompt.reasoning, target.model, style.reasoningContent, losses),
    response_format: encodeOutputFormat(prompt.outputFormat),
    verbosity: prompt.verbosity,
    modalities: prompt.modalities,
    audio: prompt.audioOutput,
    user: prompt.user,
    service_tier: encodeTier(prompt.tier, losses),
    tools: tools.length > 0 ? tools : undefined,
    tool_choice: encodeToolChoice(choice),
    parallel_tool_calls: tools.length > 0 ? prompt.parallelToolCalls : undefined,
    web_search_options: hosted.webSearchOptions,
    stream: prompt.stream ? true : undefined,
    stream_options: prompt.stream && !quirk('no-stream-options') ? { include_usage: true } : undefined,
  });
  if (prompt.topK !== undefined && !quirk('top-k')) losses.push({ field: 'top_k', how: 'dropped' });
  for (const field of Object.keys(prompt.extra)) losses.push({ field, how: 'dropped' });
  return { body: JSON.stringify(body), turns: messages.length, losses };
}

function encodeTool(tool: Tool, cacheControl: boolean, losses: Loss[]): Wire {
  if (tool.cache && !cacheControl) {
    losses.push({ field: `${tool.place}.cache_control`, how: 'dropped', note: 'this provider caches by itself' });
  }
  return {
    type: 'function',
    function: compact({
      name: tool.name,
      description: tool.description,
      parameters: tool.schema,
      strict: tool.strict,
    }),
    ...(tool.cache &&
      cacheControl && { cache_control: { type: 'ephemeral', ...(tool.cache.ttl === '1h' && { ttl: '1h' }) } }),
  };
}

function encodeHostedTools(prompt: Prompt, losses: Loss[]): { tools: Wire[]; webSearchOptions: unknown } {
  const tools: Wire[] = [];
  let webSearchOptions: unknown;
  for (const tool of prompt.hostedTools) {
    const value = object(tool.value);
    if (tool.origin !== own) losses.push({ field: tool.place, how: 'dropped', note: 'run by the provider' });
    else if (isObject(value.web_search_options)) webSearchOptions = value.web_search_options;
    else tools.push({ ...value });
  }
  return { tools, webSearchOptions };
}

function encodeToolChoice(choice: ToolChoice | undefined): unknown {
  switch (choice?.kind) {
    case undefined:
      return undefined;
    case 'any':
      return 'required';
    case 'tool':
      return { type: 'function', function: { name: choice.name } };
    case 'allowed':
      return {
        type: 'allowed_tools',
        allowed_tools: {
          mode: choice.required ? 'required' : 'auto',
          tools: choice.names.map((name) => ({ type: 'function', function: { name } })),
        },
      };
    default:
      return choice?.kind;
  }
}

function encodeOutputFormat(format: OutputFormat | undefined): unknown {
  if (!format) return undefined;
  if (format.kind === 'text') return { type: 'text' };
  if (format.kind === 'json') return { type: 'json_object' };
  const { name = 'response', description, schema, strict } = format;
  return { type: 'json_schema', json_schema: compact({ name, description, schema, strict }) };
}

function encodeTier(tier: string | undefined, losses: Loss[]): string | undefined {
  if (tier !== 'standard' && tier !== 'standard_only') return tier;
  losses.push({ field: 'service_tier', how: 'changed', note: 'default' });
  return 'default';
}

/** OpenAI's models that never reason, also behind a router: switching it off says nothing to them. */
const unthinking = /(^|\/)(gpt-[34]|chatgpt-4o)/;

function encodeReasoning(reasoning: Reasoning | undefined, model: string, asSwitch: boolean, losses: Loss[]): Wire {
  if (!reasoning) return {};
  if (reasoning.visible === true) {
    losses.push({ field: 'thinking.display', how: 'dropped', note: 'the provider decides what it shows' });
  }
  const { enabled, effort, budgetTokens } = reasoning;
  if (asSwitch) {
    // Effort is sent along where it was given: DeepSeek and Z.ai take both.
    if (budgetTokens !== undefined) losses.push({ field: 'thinking.budget_tokens', how: 'dropped' });
    return compact({ thinking: { type: enabled ? 'enabled' : 'disabled' }, reasoning_effort: effort });
  }
  if (effort !== undefined) {
    if (effort !== 'max') return { reasoning_effort: effort };
    losses.push({ field: 'reasoning_effort', how: 'changed', note: 'xhigh' });
    return { reasoning_effort: 'xhigh' };
  }
  if (!enabled) {
    // Not every model takes `none`, and one that cannot reason refuses the field: leaving it out always works.
    if (!unthinking.test(model))
      losses.push({ field: 'thinking', how: 'dropped', note: 'reasoning cannot be switched off for every model' });
    return {};
  }
  if (budgetTokens === undefined) {
    if (!reasoning.adaptive) losses.push({ field: 'thinking', how: 'dropped', note: 'left to the model' });
    return {};
  }
  const word = budgetTokens <= 2048 ? 'low' : budgetTokens <= 12_288 ? 'medium' : 'high';
  losses.push({ field: 'thinking.budget_tokens', how: 'changed', note: `reasoning_effort ${word}` });
  return { reasoning_effort: word };
}
