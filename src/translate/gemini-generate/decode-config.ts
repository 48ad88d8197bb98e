// Gemini's generationConfig as the settings of a prompt.

import type { Loss, OutputFormat, Prompt, Reasoning } from '../../exchange/prompt.ts';
import { oneOf } from '../kinds.ts';
import { fromGeminiSchema } from './schema.ts';
import { camel, enumOf, type Fields, field, fieldsOf, isFields, listOf, modalities, numberOf, textOf } from './wire.ts';

type Settings = Omit<Prompt, 'turns' | 'tools' | 'hostedTools' | 'stream' | 'extra'>;

const numbers = {
  maxOutputTokens: 'outputLimit',
  temperature: 'temperature',
  topP: 'topP',
  topK: 'topK',
  seed: 'seed',
  candidateCount: 'choices',
  logprobs: 'topLogprobs',
  presencePenalty: 'presencePenalty',
  frequencyPenalty: 'frequencyPenalty',
} as const;

/** Every field of generationConfig this codec reads or writes by meaning; the others travel in `extra` by name. */
export const configNames: ReadonlySet<string> = new Set([
  ...Object.keys(numbers),
  'stopSequences',
  'responseLogprobs',
  'responseMimeType',
  'responseSchema',
  'responseJsonSchema',
  '_responseJsonSchema',
  'responseModalities',
  'speechConfig',
  'thinkingConfig',
]);

export function decodeConfig(config: Fields, extra: Record<string, unknown>, losses: Loss[]): Settings {
  const found: { -readonly [Key in keyof Settings]: Settings[Key] } = {};
  for (const [name, neutral] of Object.entries(numbers) as [
    keyof typeof numbers,
    (typeof numbers)[keyof typeof numbers],
  ][]) {
    const number = numberOf(field(config, name));
    // Proto clients write 0 for a limit or a count that was never set.
    const unset = number === 0 && (name === 'maxOutputTokens' || name === 'candidateCount');
    if (number !== undefined && !unset) found[neutral] = number;
  }
  const stop = listOf(field(config, 'stopSequences')).filter((each): each is string => typeof each === 'string');
  if (stop.length > 0) found.stop = stop;
  if (field(config, 'responseLogprobs') === true) found.logprobs = true;
  const wanted = listOf(field(config, 'responseModalities')).flatMap(
    (each) => enumOf(each, modalities)?.toLowerCase() ?? [],
  );
  if (wanted.length > 0) found.modalities = wanted;
  decodeSpeech(config, found, extra);
  const reasoning = decodeThinking(fieldsOf(field(config, 'thinkingConfig')), losses);
  if (reasoning) found.reasoning = reasoning;
  const outputFormat = decodeFormat(config, extra, losses);
  if (outputFormat) found.outputFormat = outputFormat;
  for (const [name, value] of Object.entries(config)) {
    if (!configNames.has(camel(name)) && value !== null) extra[`generationConfig.${camel(name)}`] = value;
  }
  return found;
}

function decodeSpeech(
  config: Fields,
  found: { audioOutput?: Prompt['audioOutput'] },
  extra: Record<string, unknown>,
): void {
  const speech = field(config, 'speechConfig');
  if (speech === undefined) return;
  const voiceConfig = fieldsOf(field(fieldsOf(speech), 'voiceConfig'));
  const voice = textOf(field(fieldsOf(field(voiceConfig, 'prebuiltVoiceConfig')), 'voiceName'));
  if (voice !== undefined) found.audioOutput = { voice };
  if (voice === undefined || Object.keys(fieldsOf(speech)).length > 1) extra['generationConfig.speechConfig'] = speech;
}

const levels = ['THINKING_LEVEL_UNSPECIFIED', 'LOW', 'HIGH', 'MEDIUM', 'MINIMAL'] as const;
const efforts = ['minimal', 'low', 'medium', 'high'] as const;

function decodeThinking(thinking: Fields, losses: Loss[]): Reasoning | undefined {
  const budget = numberOf(field(thinking, 'thinkingBudget'));
  const named = enumOf(field(thinking, 'thinkingLevel'), levels)?.toUpperCase();
  const level = oneOf(levels, named, 'generationConfig.thinkingConfig.thinkingLevel', losses)?.toLowerCase();
  const effort = efforts.find((each) => each === level);
  // Gemini hides thoughts unless it is asked for them.
  const visible = field(thinking, 'includeThoughts') === true;
  if (budget === 0) return { enabled: false };
  if (effort) return { enabled: true, effort, visible };
  if (budget !== undefined)
    return budget < 0 ? { enabled: true, adaptive: true, visible } : { enabled: true, budgetTokens: budget, visible };
  // Asking to see the thoughts is asking for thinking; not asking to see them says nothing.
  return visible ? { enabled: true, visible } : undefined;
}

function decodeFormat(config: Fields, extra: Record<string, unknown>, losses: Loss[]): OutputFormat | undefined {
  const mediaType = textOf(field(config, 'responseMimeType'));
  const full = field(config, 'responseJsonSchema') ?? config._responseJsonSchema;
  const own = field(config, 'responseSchema');
  if (mediaType !== undefined && mediaType !== 'application/json' && mediaType !== 'text/plain') {
    // `text/x.enum` and other types exist in this format alone.
    losses.push({ field: 'generationConfig.responseMimeType', how: 'dropped', note: mediaType });
    extra['generationConfig.responseMimeType'] = mediaType;
    if (own !== undefined) extra['generationConfig.responseSchema'] = own;
    return undefined;
  }
  const schema = isFields(full) ? full : isFields(own) ? fromGeminiSchema(own) : undefined;
  if (schema) return { kind: 'schema', schema };
  if (mediaType === 'application/json') return { kind: 'json' };
  return mediaType === 'text/plain' ? { kind: 'text' } : undefined;
}
