// Content blocks of a Messages request into neutral blocks. What only this format understands stays whole as `opaque`.

import type {
  Block,
  CacheMark,
  Citation,
  Loss,
  MediaBlock,
  MediaSource,
  OpaqueBlock,
  Signature,
  TextBlock,
  ToolResultBlock,
} from '../../exchange/prompt.ts';
import { isObject, type Json, list, object, text } from '../json.ts';
import { own, untag } from './signature.ts';

export function decodeCache(block: Json): { cache?: CacheMark } {
  const control = block.cache_control;
  if (!isObject(control)) return {};
  return { cache: { ttl: control.ttl === '1h' ? '1h' : '5m' } };
}

export function opaque(block: Json): OpaqueBlock {
  return { type: 'opaque', origin: own, kind: text(block.type) ?? 'unknown', value: block };
}

/** `path` names the content for losses: `messages[3].content`. */
export function decodeContent(content: unknown, path: string, losses: Loss[]): Block[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  const blocks: Block[] = [];
  let toolSignature: Signature | undefined;
  list(content).forEach((value, index) => {
    const block = object(value);
    const decoded = decodeBlock(block, `${path}[${index}]`, losses);
    const proof = foreignProof(block);
    if (proof?.holder === 'tool') {
      toolSignature = proof.signature;
    } else if (proof?.holder === 'text') {
      const last = blocks.at(-1);
      if (last?.type === 'text') blocks[blocks.length - 1] = { ...last, signature: proof.signature };
      else blocks.push({ type: 'text', text: '', signature: proof.signature });
    } else if (decoded?.type === 'tool-call' && toolSignature) {
      blocks.push({ ...decoded, signature: toolSignature });
      toolSignature = undefined;
    } else if (decoded) blocks.push(decoded);
  });
  return blocks;
}

/** A proof that this codec once put beside a foreign tool call or text, because they have no place for one here. */
function foreignProof(block: Json): ReturnType<typeof untag> {
  return block.type === 'redacted_thinking' && typeof block.data === 'string' ? untag(block.data) : undefined;
}

function decodeBlock(block: Json, path: string, losses: Loss[]): Block | undefined {
  switch (block.type) {
    case 'text':
      return decodeText(block);
    case 'image':
    case 'document':
      return decodeMedia(block, path, losses);
    case 'search_result':
      return decodeSearchResult(block, path, losses);
    case 'thinking': {
      const proof = untag(text(block.signature) ?? '');
      return {
        type: 'reasoning',
        text: text(block.thinking) ?? '',
        ...(proof ? { signature: proof.signature } : {}),
      };
    }
    case 'redacted_thinking': {
      const proof = untag(text(block.data) ?? '');
      return proof ? { type: 'reasoning', text: '', redacted: true, signature: proof.signature } : undefined;
    }
    case 'tool_use':
      if (isObject(block.caller) && block.caller.type !== 'direct') {
        losses.push({ field: `${path}.caller`, how: 'dropped' });
      }
      return {
        type: 'tool-call',
        id: text(block.id) ?? '',
        name: text(block.name) ?? '',
        input: JSON.stringify(block.input ?? {}),
        ...decodeCache(block),
      };
    case 'tool_result':
      return decodeToolResult(block, path, losses);
    default:
      return opaque(block);
  }
}

function decodeText(block: Json): TextBlock {
  const citations = list(block.citations).map((each) => decodeCitation(each));
  return {
    type: 'text',
    text: text(block.text) ?? '',
    ...(citations.length > 0 ? { citations } : {}),
    ...decodeCache(block),
  };
}

export function decodeCitation(raw: unknown, start?: number, end?: number): Citation {
  const citation = object(raw);
  const url = text(citation.url) ?? (citation.type === 'search_result_location' ? text(citation.source) : undefined);
  const title = text(citation.title) ?? text(citation.document_title);
  const quote = text(citation.cited_text);
  return {
    origin: own,
    raw,
    ...(url === undefined ? {} : { url }),
    ...(title === undefined ? {} : { title }),
    ...(quote === undefined ? {} : { quote }),
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
  };
}

function decodeMedia(block: Json, path: string, losses: Loss[]): MediaBlock | OpaqueBlock {
  const source = decodeSource(object(block.source), path, losses);
  if (!source) return opaque(block);
  const name = text(block.title);
  const context = text(block.context);
  const citable = object(block.citations).enabled;
  return {
    type: block.type === 'image' ? 'image' : 'document',
    source,
    ...(name === undefined ? {} : { name }),
    ...(context === undefined ? {} : { context }),
    ...(typeof citable === 'boolean' ? { citable } : {}),
    ...decodeCache(block),
  };
}

function decodeSource(source: Json, path: string, losses: Loss[]): MediaSource | undefined {
  switch (source.type) {
    case 'base64':
      return { kind: 'base64', data: text(source.data) ?? '', mediaType: text(source.media_type) ?? '' };
    case 'url':
      return { kind: 'url', url: text(source.url) ?? '' };
    case 'file':
      return { kind: 'file', id: text(source.file_id) ?? '', origin: own };
    case 'text':
      return { kind: 'text', text: text(source.data) ?? '', mediaType: text(source.media_type) ?? 'text/plain' };
    case 'content': {
      if (typeof source.content === 'string') return { kind: 'text', text: source.content, mediaType: 'text/plain' };
      const pieces = list(source.content).map((each) => object(each));
      if (pieces.some((piece) => piece.type !== 'text')) return undefined;
      losses.push({ field: `${path}.source.content`, how: 'changed', note: 'its chunks became one text' });
      return {
        kind: 'text',
        text: pieces.map((piece) => text(piece.text) ?? '').join('\n\n'),
        mediaType: 'text/plain',
      };
    }
    default:
      return undefined;
  }
}

/** No other format has search results: a text document with the source as its context says the same to a model. */
function decodeSearchResult(block: Json, path: string, losses: Loss[]): MediaBlock {
  losses.push({ field: path, how: 'changed', note: 'the search result became a text document' });
  const pieces = list(block.content).map((piece) => text(object(piece).text) ?? '');
  const citable = object(block.citations).enabled;
  return {
    type: 'document',
    source: { kind: 'text', text: pieces.join('\n\n'), mediaType: 'text/plain' },
    name: text(block.title) ?? '',
    context: text(block.source) ?? '',
    ...(typeof citable === 'boolean' ? { citable } : {}),
    ...decodeCache(block),
  };
}

function decodeToolResult(block: Json, path: string, losses: Loss[]): ToolResultBlock {
  const content: (TextBlock | MediaBlock | OpaqueBlock)[] = [];
  const decoded = decodeContent(block.content, `${path}.content`, losses);
  for (const each of decoded) {
    if (each.type === 'text' || each.type === 'opaque') content.push(each);
    else if (each.type === 'image' || each.type === 'document') content.push(each);
  }
  return {
    type: 'tool-result',
    id: text(block.tool_use_id) ?? '',
    content,
    ...(block.is_error === true ? { failed: true } : {}),
    ...decodeCache(block),
  };
}
