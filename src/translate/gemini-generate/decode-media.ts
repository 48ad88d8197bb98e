// Gemini's inlineData and fileData as media blocks.

import type { Loss, MediaBlock, MediaSource } from '../../exchange/prompt.ts';
import { type Fields, field, fieldsOf, isFields, textOf } from './wire.ts';

/** Undefined where the part holds no media. */
export function decodeMedia(part: Fields, path: string, losses: Loss[]): MediaBlock | undefined {
  const inline = field(part, 'inlineData');
  const file = field(part, 'fileData');
  if (!isFields(inline) && !isFields(file)) return undefined;
  const fields = isFields(inline) ? inline : fieldsOf(file);
  const mediaType = textOf(field(fields, 'mimeType'));
  const source = isFields(inline) ? inlineSource(inline, mediaType) : fileSource(fields, mediaType);
  const name = textOf(field(fields, 'displayName'));
  if (field(part, 'videoMetadata') !== undefined) losses.push({ field: `${path}.videoMetadata`, how: 'dropped' });
  const resolution = fieldsOf(field(part, 'mediaResolution'));
  const detail = textOf(resolution.level)
    ?.toLowerCase()
    .replace(/^media_resolution_/, '');
  return {
    type: typeOf(mediaType, textOf(field(fields, 'fileUri')) ?? ''),
    source,
    ...(name === undefined ? {} : { name }),
    ...(detail === undefined || detail === 'unspecified' ? {} : { detail }),
  };
}

function inlineSource(inline: Fields, mediaType = 'application/octet-stream'): MediaSource {
  const data = textOf(inline.data) ?? '';
  // Proto JSON takes the URL-safe alphabet too; nobody else does.
  const plain = /[-_]/.test(data) ? data.replaceAll('-', '+').replaceAll('_', '/') : data;
  return { kind: 'base64', data: plain, mediaType };
}

function fileSource(file: Fields, mediaType: string | undefined): MediaSource {
  const uri = textOf(field(file, 'fileUri')) ?? '';
  const typed = mediaType === undefined ? {} : { mediaType };
  const stored = !/^https?:\/\//i.test(uri) || /^https:\/\/generativelanguage\.googleapis\.com\//i.test(uri);
  return stored ? { kind: 'file', id: uri, origin: 'gemini-generate', ...typed } : { kind: 'url', url: uri, ...typed };
}

const endings: readonly [RegExp, MediaBlock['type']][] = [
  [/\.(png|jpe?g|gif|webp|heic|heif|bmp)$/i, 'image'],
  [/\.(wav|mp3|aac|ogg|flac|aiff)$/i, 'audio'],
  [/\.(mp4|mov|mpe?g|avi|webm|wmv|3gpp)$/i, 'video'],
  [/youtube\.com|youtu\.be/i, 'video'],
];

function typeOf(mediaType: string | undefined, uri: string): MediaBlock['type'] {
  const family = mediaType?.split('/')[0];
  if (family === 'image' || family === 'audio' || family === 'video') return family;
  if (mediaType !== undefined) return 'document';
  const path = uri.split(/[?#]/)[0] ?? '';
  return endings.find(([ending]) => ending.test(path))?.[1] ?? 'document';
}
