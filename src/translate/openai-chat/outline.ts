// What the gateway must know of a chat request, read without decoding it. Unknown fields and parts cannot break it.

import type { Surface } from '../../exchange/format.ts';
import type { Outline, OutputKind } from '../../exchange/outline.ts';
import { Refusal } from '../../exchange/refusal.ts';
import { finite, isObject, type Json, list, object, text } from '../json.ts';
import { pluginTools, refuseUnmetered, unmeteredKeys } from '../unmetered.ts';

/** Every top-level key that decides the model, the money or what the meter sees. */
export const ownedKeys: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'stream',
  'stream_options',
  'max_tokens',
  'max_completion_tokens',
  'n',
  'best_of',
  'service_tier',
  'user',
  'seed',
  'tools',
  'web_search_options',
  'search_parameters',
  'enable_search',
  'modalities',
  'reasoning',
  'reasoning_effort',
  'thinking',
  ...unmeteredKeys,
]);

const outputKinds: readonly OutputKind[] = ['audio', 'image'];

export function outline(body: Json, surface: Surface, bytes: number): Outline {
  if (body.model !== undefined || surface.model === undefined) expect(body, 'model', 'a string', isText);
  expect(body, 'messages', 'an array', Array.isArray);
  expectWhereGiven(body, 'stream', 'a boolean', (value) => typeof value === 'boolean');
  expectWhereGiven(body, 'stream_options', 'an object', isObject);
  for (const key of ['max_tokens', 'max_completion_tokens', 'n', 'best_of']) {
    expectWhereGiven(body, key, 'a whole number above 0', isCount);
  }
  refuseUnmetered(body);
  const stream = body.stream === true;
  const limit = outputLimit(body);
  const thinkingBudget =
    finite(object(body.reasoning).max_tokens) ?? finite(object(body.thinking).budget_tokens) ?? undefined;
  const tier = text(body.service_tier);
  const endUser = text(body.user) ?? text(body.safety_identifier);
  const media = { images: 0, documents: 0, audio: 0, mediaBytes: 0 };
  for (const message of list(body.messages)) countMedia(object(message), media);
  const outputs = outputKinds.filter((kind) => list(body.modalities).includes(kind));
  return {
    format: 'openai-chat',
    model: text(body.model) ?? surface.model ?? '',
    stream,
    wantsUsage: !stream || object(body.stream_options).include_usage === true || object(body.usage).include === true,
    ...(limit !== undefined && { outputLimit: limit }),
    ...(thinkingBudget !== undefined && { thinkingBudget }),
    choices: Math.max(finite(body.n) ?? 1, finite(body.best_of) ?? 1),
    ...(tier !== undefined && { tier }),
    ...(endUser !== undefined && { endUser }),
    tools: list(body.tools).length + list(body.functions).length,
    paidTools: paidTools(body),
    ...(outputs.length > 0 && { outputs }),
    ...media,
    bytes,
  };
}

/** The client's limit; the tighter one where it sent both. */
export function outputLimit(body: Json): number | undefined {
  const limits = [finite(body.max_completion_tokens), finite(body.max_tokens)].filter((limit) => limit !== undefined);
  return limits.length > 0 ? Math.min(...limits) : undefined;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) > 0;
}

function expect(body: Json, key: string, what: string, accepts: (value: unknown) => boolean): void {
  if (accepts(body[key])) return;
  throw wrong(key, what);
}

export function wrong(param: string, wants: string): Refusal {
  return new Refusal('invalid_request', `'${param}' must be ${wants}.`, { param });
}

function expectWhereGiven(body: Json, key: string, what: string, accepts: (value: unknown) => boolean): void {
  if (body[key] !== undefined && body[key] !== null) expect(body, key, what, accepts);
}

/** Tools the provider runs and charges for; a client's own functions cost nothing but their tokens. */
function paidTools(body: Json): string[] {
  const names: string[] = [];
  // OpenRouter reads the search from the model's name, Alibaba from a switch.
  const online = text(body.model)?.endsWith(':online') === true || body.enable_search === true;
  if (isObject(body.web_search_options) || online) names.push('web_search');
  if (isObject(body.search_parameters) && body.search_parameters.mode !== 'off') names.push('live_search');
  for (const tool of list(body.tools)) {
    const type = text(object(tool).type);
    if (type !== undefined && type !== 'function' && type !== 'custom') names.push(type);
  }
  return [...names, ...pluginTools(body.plugins)];
}

interface MediaCounts {
  images: number;
  documents: number;
  audio: number;
  mediaBytes: number;
}

function countMedia(message: Json, counts: MediaCounts): void {
  for (const value of list(message.content)) {
    const part = object(value);
    const holder = part[String(part.type)];
    const inner = object(holder);
    const content = text(holder) ?? text(inner.url) ?? text(inner.data) ?? text(inner.file_data) ?? '';
    if (part.type === 'image_url') counts.images++;
    else if (part.type === 'input_audio') counts.audio++;
    else if (part.type === 'file' || part.type === 'document_url') counts.documents++;
    else if (part.type !== 'video_url') continue;
    if (part.type === 'input_audio' || content.startsWith('data:') || inner.file_data === content) {
      counts.mediaBytes += content.length;
    }
  }
  for (const image of list(message.images)) {
    counts.images++;
    counts.mediaBytes += text(image)?.length ?? 0;
  }
}
