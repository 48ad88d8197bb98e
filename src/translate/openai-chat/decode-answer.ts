// A provider's whole answer as parts.

import type { Part } from '../../exchange/part.ts';
import { isObject } from '../json.ts';
import { createChunkReader } from './decode-stream.ts';
import { errorInside, unreadable } from './errors.ts';

export function decodeAnswer(body: unknown): Part[] {
  if (!isObject(body)) return [{ type: 'error', failure: unreadable('The provider answered with no JSON object.') }];
  const failure = errorInside(body);
  if (failure) return [{ type: 'error', failure }];
  if (!Array.isArray(body.choices)) {
    return [{ type: 'error', failure: unreadable('The provider answered without choices.') }];
  }
  const reader = createChunkReader(true);
  const parts: Part[] = [];
  reader.read(body, parts);
  reader.finish(parts);
  parts.push({ type: 'end' });
  return parts;
}
