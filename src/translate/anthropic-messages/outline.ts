// What the gateway must know of every Messages request, read in one walk that no unknown field can break.

import type { Outline } from '../../exchange/outline.ts';
import { Refusal } from '../../exchange/refusal.ts';
import { finite, isObject, type Json, list, object, text } from '../json.ts';
import { pluginTools, refuseUnmetered, unmeteredKeys } from '../unmetered.ts';

export const ownedKeys: ReadonlySet<string> = new Set([
  'model',
  'stream',
  'max_tokens',
  'thinking',
  'output_config',
  'service_tier',
  'speed',
  'inference_geo',
  'metadata',
  'system',
  'messages',
  'tools',
  'anthropic_version',
  ...unmeteredKeys,
]);

/** Tools that the client runs, or that cost no more than their tokens. Any other may have a price beside them. */
const unpaid =
  /^(?:custom|(?:bash|text_editor|computer|memory|web_fetch)_\d{8}|tool_search_tool_(?:bm25|regex)(?:_\d{8})?|mcp_toolset)$/;

interface Media {
  images: number;
  documents: number;
  bytes: number;
}

export function outline(body: Json, bytes: number): Outline {
  if (typeof body.model !== 'string' || body.model === '') throw wrong('model', 'a string that names a model');
  if (!isAbsent(body.stream) && typeof body.stream !== 'boolean') throw wrong('stream', 'true or false');
  if (!isAbsent(body.max_tokens) && !isCount(body.max_tokens)) throw wrong('max_tokens', 'a whole number');
  refuseUnmetered(body);
  const media: Media = { images: 0, documents: 0, bytes: 0 };
  for (const message of list(body.messages)) countMedia(object(message).content, media);
  const thinkingBudget = finite(object(body.thinking).budget_tokens);
  const tier = body.speed === 'fast' ? 'fast' : text(body.service_tier);
  const endUser = text(object(body.metadata).user_id);
  const place = text(body.inference_geo) ?? 'global';
  return {
    format: 'anthropic-messages',
    model: body.model,
    stream: body.stream === true,
    wantsUsage: true,
    choices: 1,
    tools: list(body.tools).length,
    paidTools: paidTools(body),
    images: media.images,
    documents: media.documents,
    audio: 0,
    bytes,
    mediaBytes: media.bytes,
    ...(typeof body.max_tokens === 'number' ? { outputLimit: body.max_tokens } : {}),
    ...(thinkingBudget === undefined ? {} : { thinkingBudget }),
    ...(tier === undefined ? {} : { tier }),
    ...(place === 'global' ? {} : { surcharges: [`inference_geo.${place.slice(0, 40)}`] }),
    ...(endUser === undefined ? {} : { endUser }),
  };
}

function paidTools(body: Json): string[] {
  const names: string[] = [];
  for (const tool of list(body.tools)) {
    const type = text(object(tool).type);
    if (type === undefined || unpaid.test(type)) continue;
    const name = type.replace(/_\d{8}$/, '');
    if (!names.includes(name)) names.push(name);
  }
  return [...names, ...pluginTools(body.plugins)];
}

function countMedia(content: unknown, media: Media): void {
  if (!Array.isArray(content)) return;
  for (const block of content) {
    if (!isObject(block)) continue;
    if (block.type === 'tool_result') countMedia(block.content, media);
    else if (block.type === 'image' || block.type === 'document') {
      if (block.type === 'image') media.images++;
      else media.documents++;
      const source = object(block.source);
      if (source.type === 'base64' && typeof source.data === 'string') media.bytes += source.data.length;
      else if (source.type === 'content') countMedia(source.content, media);
    }
  }
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

export function wrong(param: string, wants: string): Refusal {
  return new Refusal('invalid_request', `${param}: must be ${wants}.`, { param });
}
