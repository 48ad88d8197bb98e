// Reads a request body as JSON, and refuses one that another parser might read differently.

import { isUtf8 } from 'node:buffer';
import type { RequestBody } from '../exchange/codec.ts';
import { members } from '../exchange/json-span.ts';
import { Refusal } from '../exchange/refusal.ts';

/** Throws `invalid_request` on anything but one JSON object whose owned keys are written once and plainly. */
export function readBody(raw: Buffer, ownedKeys: ReadonlySet<string>): RequestBody {
  const body = parse(raw);
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Refusal('invalid_request', 'The body must be a JSON object.');
  const seen: string[] = [];
  const found = members(raw);
  for (const { key, escaped } of found) {
    if (!ownedKeys.has(key)) continue;
    if (escaped)
      throw new Refusal('invalid_request', `The key "${key}" must be written without escapes.`, { param: key });
    if (seen.includes(key))
      throw new Refusal('invalid_request', `The key "${key}" stands more than once.`, { param: key });
    seen.push(key);
  }
  return { raw, body: body as Readonly<Record<string, unknown>>, members: found };
}

function parse(raw: Buffer): unknown {
  if (raw.length === 0) throw new Refusal('invalid_request', 'The body is empty; it must be a JSON object.');
  if (!isUtf8(raw)) throw new Refusal('invalid_request', 'The body is not valid UTF-8.');
  try {
    return JSON.parse(raw.toString('utf8'));
  } catch (error) {
    // The parser's own words quote the body; only the place is told.
    const place = /position (\d+)/.exec((error as Error).message)?.[1];
    throw new Refusal('invalid_request', `The body is not valid JSON${place ? ` (at character ${place})` : ''}.`);
  }
}
