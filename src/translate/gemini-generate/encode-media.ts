// Media blocks as Gemini's inlineData and fileData.

import type { MediaBlock } from '../../exchange/prompt.ts';
import type { Losses } from '../losses.ts';
import { generation } from './wire.ts';

const byEnding: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  heic: 'image/heic',
  pdf: 'application/pdf',
  txt: 'text/plain',
  wav: 'audio/wav',
  mp3: 'audio/mp3',
  mp4: 'video/mp4',
};

/** Undefined where Gemini cannot be given the media; the loss is reported under `path`. */
export function encodeMedia(
  block: MediaBlock,
  path: string,
  model: string,
  losses: Losses,
): Record<string, unknown> | undefined {
  const { source } = block;
  if (block.context !== undefined) losses.push({ field: `${path}.context`, how: 'dropped' });
  if (block.citable) losses.push({ field: `${path}.citations`, how: 'dropped' });
  const resolution = resolutionOf(block, path, model, losses);
  const named = block.name === undefined ? {} : { displayName: block.name };
  if (source.kind === 'base64') {
    return { inlineData: { ...named, mimeType: source.mediaType, data: source.data }, ...resolution };
  }
  if (source.kind === 'text') {
    const data = Buffer.from(source.text, 'utf8').toString('base64');
    return { inlineData: { ...named, mimeType: source.mediaType, data }, ...resolution };
  }
  if (source.kind === 'file') {
    if (source.origin !== 'gemini-generate') {
      losses.push({ field: path, how: 'dropped', note: 'a file stored at another provider' });
      return undefined;
    }
    return { fileData: { ...named, ...typed(source.mediaType), fileUri: source.id }, ...resolution };
  }
  const inline = /^data:([^;,]+)[^,]*;base64,(.*)$/s.exec(source.url);
  if (inline) return { inlineData: { ...named, mimeType: inline[1], data: inline[2] }, ...resolution };
  const ending = /\.([a-z0-9]+)(?:[?#].*)?$/i.exec(source.url)?.[1]?.toLowerCase() ?? '';
  return { fileData: { ...named, ...typed(source.mediaType ?? byEnding[ending]), fileUri: source.url }, ...resolution };
}

function typed(mediaType: string | undefined): { mimeType?: string } {
  return mediaType === undefined ? {} : { mimeType: mediaType };
}

function resolutionOf(block: MediaBlock, path: string, model: string, losses: Losses): Record<string, unknown> {
  const { detail } = block;
  if (detail === undefined || detail === 'auto') return {};
  const known = ['low', 'medium', 'high', 'ultra_high'].includes(detail);
  if (!known || generation(model) < 3) {
    losses.push({ field: `${path}.detail`, how: 'dropped', note: 'media resolution per part needs Gemini 3' });
    return {};
  }
  return { mediaResolution: { level: `MEDIA_RESOLUTION_${detail.toUpperCase()}` } };
}
