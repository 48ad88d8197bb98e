// Neutral blocks as content blocks of a Messages request. Undefined where this format has no place: then a loss says so.

import { Buffer } from 'node:buffer';
import type {
  Block,
  CacheMark,
  Loss,
  MediaBlock,
  TextBlock,
  ToolCallBlock,
  ToolResultBlock,
} from '../../exchange/prompt.ts';
import { compact, isObject, type Json, parse } from '../json.ts';
import { own } from './signature.ts';

const imageTypes = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'];

export interface BlockContext {
  readonly role: 'user' | 'assistant' | 'system';
  readonly losses: Loss[];
  /** Ids as this format allows them, the same for a call and its result. */
  callId(id: string): string;
  resultId(id: string): string;
}

export function encodeCache(cache: CacheMark | undefined): Json | undefined {
  if (!cache) return undefined;
  return cache.ttl === '1h' ? { type: 'ephemeral', ttl: '1h' } : { type: 'ephemeral' };
}

export function encodeBlock(block: Block, path: string, context: BlockContext): Json | undefined {
  const drop = (note: string): undefined => {
    context.losses.push({ field: path, how: 'dropped', note });
    return undefined;
  };
  switch (block.type) {
    case 'text':
      return encodeText(block, path, context.losses);
    case 'refusal':
      return block.text.trim() === '' ? undefined : { type: 'text', text: block.text };
    case 'reasoning': {
      if (block.signature?.origin !== own) return drop('reasoning without a proof that this provider would accept');
      if (context.role !== 'assistant') return drop('reasoning outside an assistant turn');
      return block.redacted
        ? { type: 'redacted_thinking', data: block.signature.value }
        : { type: 'thinking', thinking: block.text, signature: block.signature.value };
    }
    case 'tool-call':
      return encodeToolCall(block, path, context);
    case 'tool-result':
      return encodeToolResult(block, path, context);
    case 'opaque':
      return block.origin === own && isObject(block.value) ? block.value : drop('understood by its own format only');
    default:
      if (context.role !== 'user') return drop(`${block.type} outside a user turn`);
      return encodeMedia(block, path, context.losses);
  }
}

/** The provider refuses blank text; it says nothing, so that leaving it out is no loss. */
function encodeText(block: TextBlock, path: string, losses: Loss[]): Json | undefined {
  if (block.text.trim() === '') return undefined;
  const citations = (block.citations ?? []).filter((each) => each.origin === own).map((each) => each.raw);
  if (citations.length < (block.citations?.length ?? 0)) losses.push({ field: `${path}.citations`, how: 'dropped' });
  return compact({
    type: 'text',
    text: block.text,
    citations: citations.length > 0 ? citations : undefined,
    cache_control: encodeCache(block.cache),
  });
}

function encodeMedia(block: MediaBlock, path: string, losses: Loss[]): Json | undefined {
  const drop = (note: string): undefined => {
    losses.push({ field: path, how: 'dropped', note });
    return undefined;
  };
  if (block.type === 'audio' || block.type === 'video') return drop(`${block.type} is not understood`);
  const source = block.type === 'image' ? imageSource(block) : documentSource(block);
  if (typeof source === 'string') return drop(source);
  if (block.detail !== undefined && block.detail !== 'auto') losses.push({ field: `${path}.detail`, how: 'dropped' });
  const document = block.type === 'document';
  return compact({
    type: block.type,
    source,
    title: document && block.name !== '' ? block.name : undefined,
    context: document && block.context !== '' ? block.context : undefined,
    citations: document && block.citable !== undefined ? { enabled: block.citable } : undefined,
    cache_control: encodeCache(block.cache),
  });
}

/** The source, or why there can be none. */
function imageSource({ source }: MediaBlock): Json | string {
  switch (source.kind) {
    case 'base64': {
      const type = source.mediaType === 'image/jpg' ? 'image/jpeg' : source.mediaType;
      if (!imageTypes.includes(type)) return `images of type ${type || 'unknown'} are not understood`;
      return { type: 'base64', media_type: type, data: source.data };
    }
    case 'url':
      return /^https?:/i.test(source.url) ? { type: 'url', url: source.url } : 'only web addresses can be fetched';
    case 'file':
      return source.origin === own ? { type: 'file', file_id: source.id } : 'a file of another provider';
    default:
      return 'text is no image';
  }
}

function documentSource({ source }: MediaBlock): Json | string {
  switch (source.kind) {
    case 'base64':
      if (source.mediaType === 'application/pdf') {
        return { type: 'base64', media_type: 'application/pdf', data: source.data };
      }
      if (!/^text\/|^application\/(json|xml|x-yaml|yaml)\b/.test(source.mediaType)) {
        return `documents of type ${source.mediaType || 'unknown'} are not understood`;
      }
      return { type: 'text', media_type: 'text/plain', data: Buffer.from(source.data, 'base64').toString('utf8') };
    case 'url':
      return /^https?:/i.test(source.url) ? { type: 'url', url: source.url } : 'only web addresses can be fetched';
    case 'file':
      return source.origin === own ? { type: 'file', file_id: source.id } : 'a file of another provider';
    case 'text':
      return { type: 'text', media_type: 'text/plain', data: source.text };
  }
}

function encodeToolCall(block: ToolCallBlock, path: string, context: BlockContext): Json {
  const value = block.custom ? undefined : parse(block.input === '' ? '{}' : block.input);
  if (!isObject(value)) {
    context.losses.push({ field: path, how: 'changed', note: 'arguments that are no JSON object became {"input": …}' });
  }
  if (block.signature && block.signature.origin !== own) {
    context.losses.push({ field: `${path}.signature`, how: 'dropped', note: 'proof of another provider' });
  }
  return compact({
    type: 'tool_use',
    id: context.callId(block.id),
    name: block.name,
    input: isObject(value) ? value : { input: block.input },
    cache_control: encodeCache(block.cache),
  });
}

function encodeToolResult(block: ToolResultBlock, path: string, context: BlockContext): Json {
  const content: Json[] = [];
  block.content.forEach((each, index) => {
    const encoded = encodeBlock(each, `${path}.content[${index}]`, { ...context, role: 'user' });
    if (encoded) content.push(encoded);
  });
  return compact({
    type: 'tool_result',
    tool_use_id: context.resultId(block.id),
    content: content.length > 0 ? content : undefined,
    is_error: block.failed ? true : undefined,
    cache_control: encodeCache(block.cache),
  });
}
