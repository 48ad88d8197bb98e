// The settings of a prompt as Gemini's generationConfig.

import type { Loss, OutputFormat, Prompt } from '../../exchange/prompt.ts';
import { configNames } from './decode-config.ts';
import { toGeminiSchema } from './schema.ts';
import { encodeThinking } from './thinking.ts';
import { generation } from './wire.ts';

const numbers = {
  outputLimit: 'maxOutputTokens',
  temperature: 'temperature',
  topP: 'topP',
  topK: 'topK',
  seed: 'seed',
  choices: 'candidateCount',
  topLogprobs: 'logprobs',
  presencePenalty: 'presencePenalty',
  frequencyPenalty: 'frequencyPenalty',
} as const;

/** Gemini takes at most this many stop sequences. */
const mostStops = 5;

export function encodeConfig(prompt: Prompt, model: string, losses: Loss[]): Record<string, unknown> {
  const config: Record<string, unknown> = {};
  for (const [neutral, name] of Object.entries(numbers) as [keyof typeof numbers, string][]) {
    if (prompt[neutral] !== undefined) config[name] = prompt[neutral];
  }
  if (prompt.choices === 1) delete config.candidateCount;
  // A number of alternatives without the switch is refused.
  if (prompt.logprobs) config.responseLogprobs = true;
  else delete config.logprobs;
  if (prompt.stop && prompt.stop.length > 0) {
    config.stopSequences = prompt.stop.slice(0, mostStops);
    if (prompt.stop.length > mostStops) losses.push({ field: 'stop', how: 'clamped', note: `at most ${mostStops}` });
  }
  if (prompt.modalities) config.responseModalities = prompt.modalities.map((each) => each.toUpperCase());
  if (prompt.audioOutput?.voice !== undefined) {
    config.speechConfig = { voiceConfig: { prebuiltVoiceConfig: { voiceName: prompt.audioOutput.voice } } };
  }
  if (prompt.audioOutput?.format !== undefined)
    losses.push({ field: 'audio.format', how: 'dropped', note: 'Gemini answers PCM' });
  const thinking = prompt.reasoning && encodeThinking(prompt.reasoning, model, losses);
  if (thinking) config.thinkingConfig = thinking;
  if (prompt.outputFormat) Object.assign(config, encodeFormat(prompt.outputFormat, prompt, model, losses));
  for (const [name, value] of Object.entries(prompt.extra)) {
    const inside = name.startsWith('generationConfig.') ? name.slice('generationConfig.'.length) : undefined;
    if (inside === undefined) continue;
    // By this way come fields without a neutral place; limits and counts have one and are not overruled here.
    if (!configNames.has(inside) || (carried.has(inside) && config[inside] === undefined)) config[inside] = value;
    else if (inside === 'speechConfig') config.speechConfig = value;
  }
  return config;
}

const carried = new Set(['speechConfig', 'responseMimeType', 'responseSchema']);

function encodeFormat(format: OutputFormat, prompt: Prompt, model: string, losses: Loss[]): Record<string, unknown> {
  if (format.kind === 'text') return {};
  const age = generation(model);
  if (age < 3 && prompt.tools.length > 0) {
    losses.push({ field: 'response_format', how: 'dropped', note: `${model} takes either tools or a JSON format` });
    return {};
  }
  if (format.kind === 'json') return { responseMimeType: 'application/json' };
  const described = format.description === undefined ? {} : { description: format.description };
  const schema = { ...described, ...format.schema };
  if (age >= 2.5) return { responseMimeType: 'application/json', responseJsonSchema: schema };
  const converted = toGeminiSchema(schema, 'response_format.schema');
  losses.push(...converted.losses);
  return { responseMimeType: 'application/json', responseSchema: converted.schema };
}
