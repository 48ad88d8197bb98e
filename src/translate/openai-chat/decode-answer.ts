// A provider's whole answer as parts.

import type { Part } from '../../exchange/part.ts';
import { isObject, text } from '../json.ts';
import { createChunkReader } from './decode-stream.ts';
import { errorInside, unreadable } from './errors.ts';
import { decodeUsage } from './usage.ts';

export function decodeAnswer(body: unknown): Part[] {
  if (!isObject(body)) return [{ type: 'error', failure: unreadable('The provider answered with no JSON object.') }];
  const failure =
    errorInside(body) ??
    (Array.isArray(body.choices) ? undefined : unreadable('The provider answered without choices.'));
  if (failure) {
    const bill: Part[] = isObject(body.usage)
      ? [{ type: 'usage', usage: decodeUsage(body.usage, text(body.service_tier)) }]
      : [];
    return [...bill, { type: 'error', failure }];
  }
  const reader = createChunkReader(true);
  const parts: Part[] = [];
  reader.read(body, parts);
  reader.finish(parts);
  parts.push({ type: 'end' });
  return parts;
}
