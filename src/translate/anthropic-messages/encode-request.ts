// The neutral prompt as a Messages request, and every parameter that this format cannot say as a loss.

import type { Encoded } from '../../exchange/codec.ts';
import type { HostedTool, Loss, Prompt, Tool } from '../../exchange/prompt.ts';
import type { Target } from '../../exchange/target.ts';
import { compact, isObject, type Json } from '../json.ts';
import { encodeCache } from './encode-blocks.ts';
import { type Allowance, encodeAllowance } from './encode-reasoning.ts';
import { encodeTurns, loopsWithoutThinking } from './encode-turns.ts';
import { type Traits, traits } from './models.ts';
import { closed } from './schema.ts';
import { own } from './signature.ts';

export function encodeRequest(prompt: Prompt, target: Target): Encoded {
  const losses: Loss[] = [];
  const model = traits(target.model);
  const { system, messages } = encodeTurns(prompt.turns, losses);
  const tools = encodeTools(prompt, model, losses);
  const toolChoice = encodeToolChoice(prompt, tools.length > 0, losses);
  const forced = toolChoice?.type === 'any' || toolChoice?.type === 'tool';
  // Only thinking by budget has these two rules; an adaptive model was seen to accept both.
  const budgeted =
    model.thinking === 'budget' || (model.thinking === 'either' && prompt.reasoning?.budgetTokens !== undefined);
  const unwanted = !budgeted
    ? undefined
    : forced
      ? 'a tool call is forced'
      : loopsWithoutThinking(messages)
        ? 'the tool calls being answered came without this provider’s thinking'
        : undefined;
  const allowance = encodeAllowance(prompt, model, unwanted, losses);
  const outputConfig = compact({ effort: allowance.effort, format: encodeFormat(prompt, model, losses) });
  const body = compact({
    model: target.model,
    max_tokens: allowance.max_tokens,
    system,
    messages,
    stream: prompt.stream ? true : undefined,
    ...sampling(prompt, model, allowance, losses),
    stop_sequences: encodeStop(prompt, losses),
    tools: tools.length > 0 ? tools : undefined,
    tool_choice: toolChoice,
    thinking: allowance.thinking,
    output_config: Object.keys(outputConfig).length > 0 ? outputConfig : undefined,
    metadata: prompt.user === undefined ? undefined : { user_id: prompt.user },
    service_tier: encodeTier(prompt, losses),
  });
  losses.push(...unsaid(prompt));
  return { body: JSON.stringify(body), turns: messages.length, losses };
}

function sampling(prompt: Prompt, model: Traits, allowance: Allowance, losses: Loss[]): Json {
  const drop = (field: string, note: string): undefined => {
    losses.push({ field, how: 'dropped', note });
    return undefined;
  };
  let { temperature, topP, topK } = prompt;
  const none = model.sampling === 'none' ? 'the model takes no sampling parameters' : undefined;
  const fixed = none ?? (allowance.thinks ? 'fixed while the model thinks' : undefined);
  if (fixed !== undefined) {
    if (temperature !== undefined && temperature !== 1) drop('temperature', fixed);
    if (topK !== undefined) drop('top_k', fixed);
    if (topP !== undefined && (none !== undefined || topP < 0.95)) topP = topP === 1 ? undefined : drop('top_p', fixed);
    temperature = undefined;
    topK = undefined;
  }
  if (temperature !== undefined && topP !== undefined && model.sampling === 'one') {
    topP = topP === 1 ? undefined : drop('top_p', 'the model takes temperature or top_p, not both');
  }
  if (temperature !== undefined && temperature > 1) {
    losses.push({ field: 'temperature', how: 'clamped', note: `${temperature} became 1` });
    temperature = 1;
  }
  return { temperature, top_p: topP, top_k: topK };
}

function encodeStop(prompt: Prompt, losses: Loss[]): string[] | undefined {
  const stop = (prompt.stop ?? []).filter((each) => each.trim() !== '');
  if (stop.length < (prompt.stop?.length ?? 0)) {
    losses.push({ field: 'stop', how: 'changed', note: 'sequences of blanks are not accepted' });
  }
  return stop.length > 0 ? stop : undefined;
}

function encodeTools(prompt: Prompt, model: Traits, losses: Loss[]): Json[] {
  const choice = prompt.toolChoice;
  const allowed = choice?.kind === 'allowed' ? choice.names : undefined;
  const tools = prompt.tools
    .filter((tool) => !allowed || allowed.includes(tool.name))
    .map((tool) => encodeTool(tool, model, losses));
  for (const tool of prompt.hostedTools) {
    const encoded = encodeHostedTool(tool);
    const field = tool.place;
    if (!encoded) losses.push({ field, how: 'dropped', note: `${tool.kind} has no counterpart` });
    else if (tool.origin !== own)
      losses.push({ field, how: 'changed', note: `became ${encoded.type}, its options dropped` });
    if (encoded) tools.push(encoded);
  }
  return tools;
}

function encodeTool(tool: Tool, model: Traits, losses: Loss[]): Json {
  const { schema } = tool;
  const strict = tool.strict === true && model.structured;
  if (tool.strict && !strict) losses.push({ field: `${tool.place}.strict`, how: 'dropped' });
  const object = schema === undefined ? { type: 'object', properties: {} } : { type: 'object', ...schema };
  return compact({
    name: tool.name,
    description: tool.description,
    input_schema: strict ? closed(object) : object,
    strict: strict ? true : undefined,
    cache_control: encodeCache(tool.cache),
  });
}

const hosted: Readonly<Record<string, Json>> = {
  'web-search': { type: 'web_search_20250305', name: 'web_search' },
  'url-context': { type: 'web_fetch_20250910', name: 'web_fetch' },
  'code-execution': { type: 'code_execution_20250825', name: 'code_execution' },
};

function encodeHostedTool(tool: HostedTool): Json | undefined {
  if (tool.origin === own) return isObject(tool.value) ? tool.value : undefined;
  return hosted[tool.kind];
}

function encodeToolChoice(prompt: Prompt, hasTools: boolean, losses: Loss[]): Json | undefined {
  if (!hasTools) {
    const { toolChoice } = prompt;
    if (toolChoice && toolChoice.kind !== 'auto' && toolChoice.kind !== 'none') {
      losses.push({ field: 'tool_choice', how: 'dropped', note: 'there is no tool' });
    }
    return undefined;
  }
  const choice = prompt.toolChoice;
  const serial = prompt.parallelToolCalls === undefined ? undefined : !prompt.parallelToolCalls;
  const parallel = { disable_parallel_tool_use: serial };
  switch (choice?.kind) {
    case 'none':
      return { type: 'none' };
    case 'any':
    case 'auto':
      return compact({ type: choice.kind, ...parallel });
    case 'tool':
      return compact({ type: 'tool', name: choice.name, ...parallel });
    case 'allowed':
      losses.push({ field: 'tool_choice', how: 'changed', note: 'only the allowed tools were sent' });
      return compact({ type: choice.required ? 'any' : 'auto', ...parallel });
    default:
      return serial ? { type: 'auto', disable_parallel_tool_use: true } : undefined;
  }
}

function encodeFormat(prompt: Prompt, model: Traits, losses: Loss[]): Json | undefined {
  const format = prompt.outputFormat;
  if (!format || format.kind === 'text') return undefined;
  if (format.kind === 'json') {
    losses.push({ field: 'response_format', how: 'dropped', note: 'JSON without a schema cannot be asked for' });
    return undefined;
  }
  if (!model.structured) {
    losses.push({ field: 'response_format', how: 'dropped', note: 'the model knows no structured output' });
    return undefined;
  }
  const { description } = format;
  const described = description !== undefined && format.schema.description === undefined;
  const schema = closed(described ? { ...format.schema, description } : format.schema);
  return { type: 'json_schema', schema };
}

/** `auto` takes the account's priority capacity where there is some; a cheaper tier does not exist on this surface. */
function encodeTier(prompt: Prompt, losses: Loss[]): string | undefined {
  switch (prompt.tier) {
    case undefined:
      return undefined;
    case 'auto':
    case 'priority':
      return 'auto';
    case 'default':
    case 'standard':
    case 'standard_only':
      return 'standard_only';
    default:
      losses.push({ field: 'service_tier', how: 'dropped' });
      return undefined;
  }
}

/** Parameters without a place in this format. Neutral values (one choice, no penalty) lose nothing. */
function unsaid(prompt: Prompt): Loss[] {
  const beyondText = prompt.modalities?.some((modality) => modality !== 'text') ? prompt.modalities : undefined;
  const fields: readonly (readonly [string, unknown])[] = [
    ['seed', prompt.seed],
    ['n', prompt.choices === 1 ? undefined : prompt.choices],
    ['logprobs', prompt.logprobs || undefined],
    ['top_logprobs', prompt.topLogprobs || undefined],
    ['presence_penalty', prompt.presencePenalty || undefined],
    ['frequency_penalty', prompt.frequencyPenalty || undefined],
    ['logit_bias', prompt.logitBias && Object.keys(prompt.logitBias).length > 0 ? prompt.logitBias : undefined],
    ['verbosity', prompt.verbosity],
    ['modalities', beyondText],
    ['audio', prompt.audioOutput],
    ...Object.entries(prompt.extra),
  ];
  return fields.filter(([, value]) => value !== undefined).map(([field]) => ({ field, how: 'dropped' as const }));
}
