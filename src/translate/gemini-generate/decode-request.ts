// A Gemini request as a prompt.

import type { Decoded } from '../../exchange/codec.ts';
import type { Surface } from '../../exchange/format.ts';
import type { HostedTool, Loss, Prompt, Tool, ToolChoice, Turn } from '../../exchange/prompt.ts';
import { expect, oneOf } from '../kinds.ts';
import { decodeConfig } from './decode-config.ts';
import { decodeContents, decodePart, partOf } from './decode-contents.ts';
import { request } from './kinds.ts';
import { wrong } from './outline.ts';
import { fromGeminiSchema } from './schema.ts';
import { camel, enumOf, type Fields, field, fieldsOf, isFields, listOf, textOf } from './wire.ts';

const read = new Set([
  'model',
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'generationConfig',
  'serviceTier',
]);

export function decodeRequest(body: Fields, surface: Surface): Decoded {
  expect(body, request, '', wrong);
  const losses: Loss[] = [];
  const system = decodeSystem(field(body, 'systemInstruction'), losses);
  const places = system.map(() => 'systemInstruction');
  const extra: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(body)) {
    if (!read.has(camel(name)) && value !== null) extra[camel(name)] = value;
  }
  const tools: Tool[] = [];
  const hostedTools: HostedTool[] = [];
  listOf(body.tools).forEach((each, index) => {
    decodeTool(fieldsOf(each), `tools[${index}]`, tools, hostedTools, losses);
  });
  const toolChoice = decodeToolConfig(fieldsOf(field(body, 'toolConfig')), extra, losses);
  const given = field(body, 'serviceTier');
  if (typeof given === 'number') losses.push({ field: 'serviceTier', how: 'dropped', note: 'said by number' });
  const tier = textOf(given)
    ?.toLowerCase()
    .replace(/^service_tier_/, '');
  const prompt: Prompt = {
    turns: [...system, ...decodeContents(body.contents, places, losses)],
    tools,
    hostedTools,
    ...(toolChoice ? { toolChoice } : {}),
    ...decodeConfig(fieldsOf(field(body, 'generationConfig')), extra, losses),
    ...(tier === undefined ? {} : { tier }),
    stream: surface.stream ?? false,
    extra,
  };
  return { prompt, places, losses };
}

function decodeSystem(value: unknown, losses: Loss[]): Turn[] {
  if (value === undefined) return [];
  // Google's own clients send a bare string in places where the service wants a content.
  const parts = typeof value === 'string' ? [{ text: value }] : listOf(fieldsOf(value).parts);
  const content = parts.flatMap((part, index) => decodePart(partOf(part), `systemInstruction.parts[${index}]`, losses));
  return content.length > 0 ? [{ role: 'system', content }] : [];
}

const neutralKinds: Readonly<Record<string, HostedTool['kind']>> = {
  googleSearch: 'web-search',
  googleSearchRetrieval: 'web-search',
  enterpriseWebSearch: 'web-search',
  codeExecution: 'code-execution',
  urlContext: 'url-context',
  fileSearch: 'file-search',
};

function decodeTool(tool: Fields, path: string, tools: Tool[], hosted: HostedTool[], losses: Loss[]): void {
  for (const [name, value] of Object.entries(tool)) {
    const key = camel(name);
    if (value === null) continue;
    if (key !== 'functionDeclarations') {
      hosted.push({
        place: `${path}.${name}`,
        origin: 'gemini-generate',
        kind: neutralKinds[key] ?? key,
        value: { [key]: value },
      });
      continue;
    }
    listOf(value).forEach((each, index) => {
      tools.push(decodeDeclaration(fieldsOf(each), `${path}.functionDeclarations[${index}]`, losses));
    });
  }
}

function decodeDeclaration(declaration: Fields, path: string, losses: Loss[]): Tool {
  const full = field(declaration, 'parametersJsonSchema');
  const own = field(declaration, 'parameters');
  const schema = isFields(full) ? full : isFields(own) ? fromGeminiSchema(own) : undefined;
  const description = textOf(declaration.description);
  for (const name of ['response', 'responseJsonSchema', 'behavior']) {
    if (field(declaration, name) !== undefined) losses.push({ field: `${path}.${name}`, how: 'dropped' });
  }
  return {
    place: path,
    name: textOf(declaration.name) ?? '',
    ...(description === undefined ? {} : { description }),
    ...(schema ? { schema } : {}),
  };
}

const modes = ['MODE_UNSPECIFIED', 'AUTO', 'ANY', 'NONE', 'VALIDATED'] as const;

function decodeToolConfig(config: Fields, extra: Record<string, unknown>, losses: Loss[]): ToolChoice | undefined {
  for (const [name, value] of Object.entries(config)) {
    if (camel(name) !== 'functionCallingConfig' && value !== null) extra[`toolConfig.${camel(name)}`] = value;
  }
  const calling = fieldsOf(field(config, 'functionCallingConfig'));
  for (const [name, value] of Object.entries(calling)) {
    const known = camel(name) === 'mode' || camel(name) === 'allowedFunctionNames';
    if (!known && value !== null) extra[`toolConfig.functionCallingConfig.${camel(name)}`] = value;
  }
  const names = listOf(field(calling, 'allowedFunctionNames')).filter(
    (each): each is string => typeof each === 'string',
  );
  const path = 'toolConfig.functionCallingConfig';
  const mode = oneOf(modes, enumOf(calling.mode, modes)?.toUpperCase(), `${path}.mode`, losses);
  if (mode === 'NONE') return { kind: 'none' };
  if (mode === 'ANY') {
    const [only, ...others] = names;
    if (only === undefined) return { kind: 'any' };
    return others.length === 0 ? { kind: 'tool', name: only } : { kind: 'allowed', names, required: true };
  }
  if (mode === 'VALIDATED') {
    if (names.length > 0) return { kind: 'allowed', names, required: false };
    losses.push({ field: `${path}.mode`, how: 'changed', note: 'VALIDATED became AUTO' });
    return { kind: 'auto' };
  }
  if (names.length > 0) losses.push({ field: `${path}.allowedFunctionNames`, how: 'dropped', note: 'needs mode ANY' });
  return mode === 'AUTO' ? { kind: 'auto' } : undefined;
}
