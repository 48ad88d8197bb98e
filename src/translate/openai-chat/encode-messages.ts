// Turns as messages: results become `tool` messages, reasoning goes where the provider takes it, the rest is a loss.

import type { Block, CacheMark, Loss, TextBlock, ToolResultBlock, Turn } from '../../exchange/prompt.ts';
import { compact, object } from '../json.ts';
import { encodeMedia } from './media.ts';
import { encodeDetail, extraContent } from './signatures.ts';

const own = 'openai-chat';
type Wire = Record<string, unknown>;

export interface MessageStyle {
  /** DeepSeek and its kin take a turn's thoughts back as `reasoning_content`. */
  readonly reasoningContent: boolean;
  readonly developerRole: boolean;
  /** Whether `cache_control` marks mean something to the provider. */
  readonly cacheControl: boolean;
  /** Some dialects take `video_url`; OpenAI itself has no part for video. */
  readonly video: boolean;
}

export function encodeTurns(turns: readonly Turn[], style: MessageStyle, losses: Loss[]): Wire[] {
  const messages: Wire[] = [];
  for (const [index, turn] of turns.entries()) {
    const at = `messages[${index}]`;
    if (turn.role === 'assistant') messages.push(encodeAssistant(turn, at, style, losses));
    else encodeUser(turn, at, style, losses, messages);
  }
  return messages;
}

function encodeUser(turn: Turn, at: string, style: MessageStyle, losses: Loss[], messages: Wire[]): void {
  const parts: Wire[] = [];
  let results = 0;
  for (const [index, block] of turn.content.entries()) {
    const field = `${at}.content[${index}]`;
    if (block.type === 'tool-result') {
      messages.push(encodeResult(block, field, style, losses, parts));
      results++;
    } else {
      const part = encodePart(block, field, style, losses);
      if (part) parts.push(part);
    }
  }
  if (parts.length === 0 && results > 0) return;
  const role = turn.role === 'developer' && !style.developerRole ? 'system' : turn.role;
  messages.push(compact({ role, name: turn.name, content: plain(parts) }));
}

/** One unmarked text is sent as a string, which every dialect takes. */
function plain(parts: readonly Wire[]): unknown {
  const only = parts[0];
  if (!only) return '';
  return parts.length === 1 && only.type === 'text' && only.cache_control === undefined ? only.text : parts;
}

function encodeResult(block: ToolResultBlock, field: string, style: MessageStyle, losses: Loss[], aside: Wire[]): Wire {
  const parts: Wire[] = [];
  for (const [index, inner] of block.content.entries()) {
    const at = `${field}.content[${index}]`;
    const part = encodePart(inner, at, style, losses);
    if (part?.type === 'text') parts.push(part);
    else if (part) {
      // Tool messages carry text only: what the tool showed follows in the user's name.
      losses.push({ field: at, how: 'changed', note: 'moved into a user message' });
      aside.push(part);
    }
  }
  if (block.failed) losses.push({ field: `${field}.is_error`, how: 'dropped' });
  const last = parts.at(-1);
  if (last && block.cache) Object.assign(last, mark(block.cache, field, style, losses));
  return { role: 'tool', tool_call_id: block.id, content: plain(parts) };
}

function mark(cache: CacheMark | undefined, field: string, style: MessageStyle, losses: Loss[]): Wire | undefined {
  if (!cache) return undefined;
  if (style.cacheControl) return { cache_control: { type: 'ephemeral', ...(cache.ttl === '1h' && { ttl: '1h' }) } };
  losses.push({ field: `${field}.cache_control`, how: 'dropped', note: 'this provider caches by itself' });
  return undefined;
}

function encodePart(block: Block, field: string, style: MessageStyle, losses: Loss[]): Wire | undefined {
  switch (block.type) {
    case 'text':
      if (block.citations?.length) losses.push({ field: `${field}.citations`, how: 'dropped' });
      return { type: 'text', text: block.text, ...mark(block.cache, field, style, losses) };
    case 'image':
    case 'audio':
    case 'document':
    case 'video': {
      const part: Wire | Loss =
        block.type === 'video' && !style.video
          ? { field, how: 'dropped', note: 'this provider takes no video' }
          : encodeMedia(block, field);
      if ('how' in part) {
        losses.push(part as Loss);
        return undefined;
      }
      if (part.type === 'text') losses.push({ field, how: 'changed', note: 'a plain-text document is sent as text' });
      if (block.context !== undefined) losses.push({ field: `${field}.context`, how: 'dropped' });
      if (block.citable) losses.push({ field: `${field}.citations`, how: 'dropped' });
      return { ...(part as Wire), ...mark(block.cache, field, style, losses) };
    }
    case 'opaque':
      if (block.origin === own) return object(block.value) as Wire;
      losses.push({ field, how: 'dropped', note: block.kind });
      return undefined;
    default:
      losses.push({ field, how: 'dropped', note: `${block.type} outside an assistant turn` });
      return undefined;
  }
}

function encodeAssistant(turn: Turn, at: string, style: MessageStyle, losses: Loss[]): Wire {
  const texts: Wire[] = [];
  const calls: Wire[] = [];
  const details: Wire[] = [];
  let thoughts = '';
  let refusal = '';
  const message: Wire = { role: 'assistant', name: turn.name };
  for (const [index, block] of turn.content.entries()) {
    const field = `${at}.content[${index}]`;
    switch (block.type) {
      case 'text':
        texts.push(encodePart(block, field, style, losses) ?? {});
        signText(block, message, field, losses);
        break;
      case 'reasoning':
        if (block.signature?.origin === own) {
          details.push(encodeDetail(block.text, block.signature, block.redacted === true, details.length));
        } else if (block.signature) {
          losses.push({ field: `${field}.signature`, how: 'dropped', note: `of ${block.signature.origin}` });
        }
        if (style.reasoningContent) thoughts += block.text;
        else if (block.signature?.origin !== own) losses.push({ field, how: 'dropped', note: 'reasoning' });
        break;
      case 'tool-call':
        calls.push(encodeCall(block, field, losses));
        if (block.cache) mark(block.cache, field, { ...style, cacheControl: false }, losses);
        break;
      case 'refusal':
        refusal += block.text;
        break;
      case 'audio':
        if (block.source.kind === 'file' && block.source.origin === own) message.audio = { id: block.source.id };
        else losses.push({ field, how: 'dropped', note: 'audio of an assistant' });
        break;
      default: {
        const part = block.type === 'opaque' && block.origin === own ? (object(block.value) as Wire) : undefined;
        if (part) texts.push(part);
        else losses.push({ field, how: 'dropped', note: `${block.type} of an assistant` });
      }
    }
  }
  if (thoughts !== '') message.reasoning_content = thoughts;
  if (details.length > 0) message.reasoning_details = details;
  if (refusal !== '') message.refusal = refusal;
  if (calls.length > 0) message.tool_calls = calls;
  const silent = calls.length > 0 || refusal !== '' || message.audio !== undefined;
  message.content = texts.length > 0 ? assistantText(texts) : silent ? null : '';
  return compact(message);
}

/** Pieces of one utterance are one string, as every dialect takes it, unless one carries more than text. */
function assistantText(texts: readonly Wire[]): unknown {
  const more = texts.some((part) => part.type !== 'text' || part.cache_control !== undefined);
  return more ? texts : texts.map((part) => part.text).join('');
}

function signText(block: TextBlock, message: Wire, field: string, losses: Loss[]): void {
  if (!block.signature) return;
  if (block.signature.origin === own) message.extra_content = extraContent(block.signature);
  else losses.push({ field: `${field}.signature`, how: 'dropped', note: `of ${block.signature.origin}` });
}

function encodeCall(block: Extract<Block, { type: 'tool-call' }>, field: string, losses: Loss[]): Wire {
  const { id, name, input, signature } = block;
  const call: Wire = block.custom
    ? { id, type: 'custom', custom: { name, input } }
    : { id, type: 'function', function: { name, arguments: input } };
  if (signature?.origin === own) call.extra_content = extraContent(signature);
  else if (signature) losses.push({ field: `${field}.signature`, how: 'dropped', note: `of ${signature.origin}` });
  return call;
}
