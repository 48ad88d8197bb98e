// A prompt as a Gemini request. The model and the stream stand in the path, which the provider's address writes.

import type { Encoded } from '../../exchange/codec.ts';
import type { Loss, Prompt, Tool, ToolChoice } from '../../exchange/prompt.ts';
import type { Target } from '../../exchange/target.ts';
import { encodeConfig } from './encode-config.ts';
import { encodeContents } from './encode-contents.ts';
import { type Fields, isFields } from './wire.ts';

/** Gemini's own top-level fields that a client of any format may send by name. */
const carried = new Set(['safetySettings', 'cachedContent', 'labels', 'modelArmorConfig']);

export function encodeRequest(prompt: Prompt, target: Target): Encoded {
  const losses: Loss[] = [];
  const { model } = target;
  const tools = encodeTools(prompt, losses);
  const toolConfig = encodeToolConfig(prompt, losses);
  const generationConfig = encodeConfig(prompt, model, losses);
  const tier = encodeTier(prompt.tier, losses);
  const turns = encodeContents(prompt, model, losses);
  const body: Record<string, unknown> = {
    ...turns,
    ...(tools.length > 0 ? { tools } : {}),
    ...(toolConfig ? { toolConfig } : {}),
    ...(Object.keys(generationConfig).length > 0 ? { generationConfig } : {}),
    ...(tier === undefined ? {} : { serviceTier: tier }),
  };
  for (const [name, value] of Object.entries(prompt.extra)) {
    if (carried.has(name)) body[name] = value;
    else if (!/^(generationConfig|toolConfig)\./.test(name)) losses.push({ field: name, how: 'dropped' });
  }
  for (const [present, name] of [
    [prompt.parallelToolCalls === false, 'parallel_tool_calls'],
    [prompt.logitBias !== undefined, 'logit_bias'],
    [prompt.user !== undefined, 'user'],
    [prompt.verbosity !== undefined, 'verbosity'],
  ] as const) {
    if (present) losses.push({ field: name, how: 'dropped', note: 'Gemini has no such setting' });
  }
  return { body: JSON.stringify(body), turns: turns.contents.length, losses };
}

/** Another format's provider-run tools that Gemini has too. */
const counterparts: Readonly<Record<string, Fields>> = {
  'web-search': { googleSearch: {} },
  'code-execution': { codeExecution: {} },
  'url-context': { urlContext: {} },
};

function encodeTools(prompt: Prompt, losses: Loss[]): Fields[] {
  const tools: Fields[] = [];
  if (prompt.tools.length > 0) {
    tools.push({
      functionDeclarations: prompt.tools.map((tool) => declaration(tool, losses)),
    });
  }
  for (const tool of prompt.hostedTools) {
    if (tool.origin === 'gemini-generate') {
      if (isFields(tool.value)) tools.push(tool.value);
      continue;
    }
    const counterpart = counterparts[tool.kind];
    // Most models refuse their own tools beside functions; the functions are what the program needs.
    if (counterpart && prompt.tools.length === 0) {
      tools.push(counterpart);
      losses.push({
        field: tool.place,
        how: 'changed',
        note: "became Google's own tool, its settings dropped",
      });
    } else losses.push({ field: tool.place, how: 'dropped' });
  }
  return tools;
}

function declaration(tool: Tool, losses: Loss[]): Fields {
  if (tool.strict === true) losses.push({ field: `${tool.place}.strict`, how: 'dropped' });
  if (tool.cache)
    losses.push({ field: `${tool.place}.cache_control`, how: 'dropped', note: 'Gemini caches prompts by itself' });
  return {
    name: tool.name,
    ...(tool.description === undefined ? {} : { description: tool.description }),
    ...(tool.schema ? { parametersJsonSchema: tool.schema } : {}),
  };
}

function encodeToolConfig(prompt: Prompt, losses: Loss[]): Fields | undefined {
  const config: Record<string, unknown> = {};
  let calling: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(prompt.extra)) {
    if (name.startsWith('toolConfig.functionCallingConfig.')) calling[name.slice(33)] = value;
    else if (name.startsWith('toolConfig.')) config[name.slice(11)] = value;
  }
  if (prompt.toolChoice) {
    if (prompt.tools.length > 0) calling = { ...calling, ...choice(prompt.toolChoice) };
    else if (prompt.toolChoice.kind !== 'auto' && prompt.toolChoice.kind !== 'none') {
      losses.push({ field: 'tool_choice', how: 'dropped', note: 'there is no function to call' });
    }
  }
  if (Object.keys(calling).length > 0) config.functionCallingConfig = calling;
  return Object.keys(config).length > 0 ? config : undefined;
}

function choice(wanted: ToolChoice): Fields {
  switch (wanted.kind) {
    case 'tool':
      return { mode: 'ANY', allowedFunctionNames: [wanted.name] };
    case 'allowed':
      return { mode: wanted.required ? 'ANY' : 'VALIDATED', allowedFunctionNames: wanted.names };
    default:
      return { mode: wanted.kind.toUpperCase() };
  }
}

function encodeTier(tier: string | undefined, losses: Loss[]): string | undefined {
  if (tier === undefined || ['auto', 'default', 'standard', 'standard_only', 'unspecified'].includes(tier))
    return undefined;
  if (tier === 'flex' || tier === 'priority') return tier;
  losses.push({ field: 'service_tier', how: 'dropped', note: tier });
  return undefined;
}
