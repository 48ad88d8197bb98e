// The tolerant reading of a Gemini request: what must be known of each, and nothing that an unknown field could break.

import type { Surface } from '../../exchange/format.ts';
import type { Outline, OutputKind } from '../../exchange/outline.ts';
import { Refusal } from '../../exchange/refusal.ts';
import { refused } from '../unmetered.ts';
import { camel, type Fields, field, fieldsOf, isFields, listOf, numberOf, snake, snakeOf, textOf } from './wire.ts';

export const ownedKeys: ReadonlySet<string> = new Set([
  'model',
  'generationConfig',
  'generation_config',
  'contents',
  'tools',
  'serviceTier',
  'service_tier',
]);

/** Tools that the client runs, or that cost no more than their tokens. Any other may have a price beside them. */
const unpaid: ReadonlySet<string> = new Set([
  'functionDeclarations',
  'codeExecution',
  'urlContext',
  'computerUse',
  'fileSearch',
  'mcpServers',
]);

/** Vertex chooses another model by these. */
const choosers = ['modelConfig', 'routingConfig'];

export function outline(body: Fields, surface: Surface, bytes: number): Outline {
  onlyOne(body, 'generationConfig', '');
  onlyOne(body, 'serviceTier', '');
  const given = field(body, 'generationConfig');
  if (given !== undefined && !isFields(given)) refuse('generationConfig', 'must be an object');
  const config = fieldsOf(given);
  for (const name of choosers) if (field(config, name) !== undefined) throw refused(`generationConfig.${name}`);
  const outputLimit = wholeNumber(config, 'maxOutputTokens');
  const choices = wholeNumber(config, 'candidateCount');
  const budget = numberOf(field(fieldsOf(field(config, 'thinkingConfig')), 'thinkingBudget'));
  const tools = listOf(body.tools).map(fieldsOf);
  const tier = textOf(field(body, 'serviceTier'))
    ?.toLowerCase()
    .replace(/^service_tier_/, '');
  const media = countMedia(body);
  return {
    format: 'gemini-generate',
    model: (surface.model ?? textOf(body.model) ?? '').replace(/^models\//, ''),
    stream: surface.stream ?? false,
    wantsUsage: true,
    ...(outputLimit ? { outputLimit } : {}),
    ...(budget !== undefined && budget > 0 ? { thinkingBudget: budget } : {}),
    choices: Math.max(1, choices ?? 1),
    ...(tier && tier !== 'standard' && tier !== 'unspecified' ? { tier } : {}),
    tools: tools.reduce((sum, tool) => sum + listOf(field(tool, 'functionDeclarations')).length, 0),
    paidTools: paidTools(body, tools),
    ...outputsOf(config),
    ...media,
    bytes,
  };
}

function paidTools(body: Fields, tools: readonly Fields[]): string[] {
  const names = new Set<string>();
  for (const tool of tools) {
    for (const [key, value] of Object.entries(tool)) {
      if (value !== null && !unpaid.has(camel(key))) names.add(snakeOf(key));
    }
  }
  if (field(body, 'modelArmorConfig') !== undefined) names.add('model_armor');
  return [...names];
}

function outputsOf(config: Fields): Pick<Outline, 'outputs'> {
  const named = listOf(field(config, 'responseModalities'));
  const format = fieldsOf(field(config, 'responseFormat'));
  // Proto JSON may write an enum by its number.
  const has = (kind: OutputKind, number: number): boolean =>
    named.some((each) => each === number || String(each).toLowerCase() === kind) || field(format, kind) !== undefined;
  const outputs: OutputKind[] = [];
  if (has('audio', 3)) outputs.push('audio');
  if (has('image', 2)) outputs.push('image');
  return outputs.length > 0 ? { outputs } : {};
}

/** Proto JSON accepts both spellings of a name; with both present, two parsers could read two different limits. */
function onlyOne(fields: Fields, name: string, prefix: string): void {
  if (fields[name] !== undefined && fields[snake(name)] !== undefined && name !== snake(name)) {
    refuse(prefix + name, `is written twice, also as ${snake(name)}`);
  }
}

/** A count of the generation config; proto JSON takes numeric strings, and 0 stands for "not set". */
function wholeNumber(config: Fields, name: string): number | undefined {
  onlyOne(config, name, 'generationConfig.');
  const value = field(config, name);
  if (value === undefined) return undefined;
  const number = numberOf(value);
  if (number === undefined || !Number.isSafeInteger(number) || number < 0) {
    return refuse(`generationConfig.${name}`, 'must be a whole number that is not negative');
  }
  return number;
}

function refuse(param: string, complaint: string): never {
  throw new Refusal('invalid_request', `${param} ${complaint}`, { param });
}

export function wrong(param: string, wants: string): Refusal {
  return new Refusal('invalid_request', `${param} must be ${wants}`, { param });
}

function countMedia(body: Fields): { images: number; documents: number; audio: number; mediaBytes: number } {
  const counts = { images: 0, documents: 0, audio: 0, mediaBytes: 0 };
  const countParts = (parts: unknown): void => {
    for (const each of listOf(parts)) {
      const part = fieldsOf(each);
      const inline = field(part, 'inlineData');
      const file = field(part, 'fileData');
      if (inline !== undefined || file !== undefined) {
        const fields = fieldsOf(inline ?? file);
        const mediaType = textOf(field(fields, 'mimeType')) ?? '';
        // Videos count as documents: both are priced by length, which only the provider knows.
        if (mediaType.startsWith('image/')) counts.images++;
        else if (mediaType.startsWith('audio/')) counts.audio++;
        else counts.documents++;
        counts.mediaBytes += textOf(fields.data)?.length ?? 0;
      }
      const response = field(part, 'functionResponse');
      if (response !== undefined) countParts(fieldsOf(response).parts);
    }
  };
  countParts(fieldsOf(field(body, 'systemInstruction')).parts);
  for (const content of listOf(body.contents)) countParts(fieldsOf(content).parts);
  return counts;
}
