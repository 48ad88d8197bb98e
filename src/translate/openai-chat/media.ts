// Pictures, sound, documents and video on the OpenAI wire and in its dialects, both ways.

import type { Loss, MediaBlock, MediaSource } from '../../exchange/prompt.ts';
import { compact, type Json, object, text } from '../json.ts';
import { dataUrl } from './data-url.ts';

const own = 'openai-chat';

function source(url: string, mediaType?: string): MediaSource {
  const inline = dataUrl(url);
  if (inline) return { kind: 'base64', data: inline.data, mediaType: inline.mediaType || (mediaType ?? '') };
  return { kind: 'url', url, ...(mediaType !== undefined && { mediaType }) };
}

/** `image_url` as an object (OpenAI) or as the address itself (Mistral). */
export function decodeImage(part: Json): MediaBlock | undefined {
  const url = text(part.image_url) ?? text(object(part.image_url).url);
  if (url === undefined) return undefined;
  const detail = text(object(part.image_url).detail);
  return { type: 'image', source: source(url), ...(detail !== undefined && { detail }) };
}

/** The sound of an answer. Its id, with which a later turn may refer to it, is kept as the name. */
export function decodeAudio(id: string, data: string): MediaBlock {
  return {
    type: 'audio',
    source: { kind: 'base64', data, mediaType: soundType(data) },
    ...(id !== '' && { name: id }),
  };
}

/** The wire does not say what the sound is; its first bytes do. */
function soundType(data: string): string {
  if (data.startsWith('UklGR')) return 'audio/wav';
  if (data.startsWith('SUQz') || data.startsWith('//')) return 'audio/mpeg';
  if (data.startsWith('T2dnUw')) return 'audio/ogg';
  if (data.startsWith('ZkxhQw')) return 'audio/flac';
  return 'audio/pcm';
}

const soundFormats: Readonly<Record<string, string>> = { mp3: 'audio/mpeg', wav: 'audio/wav' };

/** A media part of a request; undefined where the part is none, or says nothing that can be understood. */
export function decodeMedia(part: Json): MediaBlock | undefined {
  switch (part.type) {
    case 'image_url':
      return decodeImage(part);
    case 'input_audio': {
      // Mistral sends the data, or an address, without the object around it.
      const audio = typeof part.input_audio === 'string' ? { data: part.input_audio } : object(part.input_audio);
      const data = text(audio.data);
      if (data === undefined) return undefined;
      const format = text((audio as Json).format);
      const mediaType = format === undefined ? soundType(data) : (soundFormats[format] ?? `audio/${format}`);
      if (/^(https?|data):/.test(data)) return { type: 'audio', source: source(data, mediaType) };
      return { type: 'audio', source: { kind: 'base64', data, mediaType } };
    }
    case 'file':
      return decodeFile(object(part.file));
    case 'document_url': {
      const url = text(part.document_url) ?? text(object(part.document_url).url);
      const name = text(part.document_name);
      if (url === undefined) return undefined;
      return { type: 'document', source: source(url), ...(name !== undefined && { name }) };
    }
    case 'video_url': {
      const url = text(part.video_url) ?? text(object(part.video_url).url);
      return url === undefined ? undefined : { type: 'video', source: source(url) };
    }
    default:
      return undefined;
  }
}

function decodeFile(file: Json): MediaBlock | undefined {
  const name = text(file.filename);
  const named = name !== undefined && { name };
  const id = text(file.file_id);
  if (id !== undefined) return { type: 'document', source: { kind: 'file', id, origin: own }, ...named };
  const data = text(file.file_data);
  if (data === undefined) return undefined;
  const plain = /^(https?|data):/.test(data) ? source(data) : undefined;
  return { type: 'document', source: plain ?? { kind: 'base64', data, mediaType: 'application/pdf' }, ...named };
}

function url(from: Exclude<MediaSource, { kind: 'file' }>): string {
  if (from.kind === 'url') return from.url;
  if (from.kind === 'base64') return `data:${from.mediaType};base64,${from.data}`;
  return `data:${from.mediaType};base64,${Buffer.from(from.text, 'utf8').toString('base64')}`;
}

/** A media block as a part of a user's message, or what is lost with it. */
export function encodeMedia(block: MediaBlock, field: string): Record<string, unknown> | Loss {
  const from = block.source;
  if (from.kind === 'file' && from.origin !== own) {
    return { field, how: 'dropped', note: 'the file is stored with another provider' };
  }
  switch (block.type) {
    case 'image':
      if (from.kind === 'file') return { field, how: 'dropped', note: 'images by file id are not taken here' };
      return { type: 'image_url', image_url: compact({ url: url(from), detail: imageDetail(block.detail) }) };
    case 'audio': {
      if (from.kind !== 'base64') return { field, how: 'dropped', note: 'audio must be sent inline' };
      const format = Object.entries(soundFormats).find(([, type]) => type === from.mediaType)?.[0];
      const fallback = from.mediaType.replace(/^audio\/(x-)?/, '').replace(/^mpeg\d?$/, 'mp3');
      return { type: 'input_audio', input_audio: { data: from.data, format: format ?? fallback } };
    }
    case 'document': {
      if (from.kind === 'text') return { type: 'text', text: block.name ? `${block.name}\n\n${from.text}` : from.text };
      if (from.kind === 'file') return { type: 'file', file: { file_id: from.id } };
      if (from.kind === 'base64' && from.mediaType.startsWith('text/')) {
        return { type: 'text', text: Buffer.from(from.data, 'base64').toString('utf8') };
      }
      return { type: 'file', file: { filename: block.name ?? 'document.pdf', file_data: url(from) } };
    }
    case 'video':
      if (from.kind === 'file') return { field, how: 'dropped', note: 'videos by file id are not taken here' };
      return { type: 'video_url', video_url: { url: url(from) } };
  }
}

function imageDetail(detail: string | undefined): string | undefined {
  return detail === 'low' || detail === 'high' || detail === 'auto' || detail === 'original' ? detail : undefined;
}
