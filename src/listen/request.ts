// Reads a request body as JSON, and refuses one that another parser might read differently.

import { isUtf8 } from 'node:buffer';
import type { RequestBody } from '../exchange/codec.ts';
import { type Extent, type Member, members, skipBlanks, valueEnd } from '../exchange/json-span.ts';
import { Refusal } from '../exchange/refusal.ts';

/** Far above any schema or tool argument; a crossing would run out of stack between 5,000 and 20,000. */
const maxDepth = 128;
/** At ten tokens each they fill a context of a million. 10 MB of nothing but brackets keep the parser for 1.5 s. */
const maxValues = 100_000;
/** No API has a tenth of them. */
const maxMembers = 1000;

/**
 * Throws `invalid_request` on anything but one JSON object whose owned keys are written once and plainly, and `too_large`
 * on one that a parser would take long for.
 */
export function readBody(raw: Buffer, ownedKeys: ReadonlySet<string>): RequestBody {
  const found = walk(raw);
  const body = parse(raw);
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Refusal('invalid_request', 'The body must be a JSON object.');
  const seen: string[] = [];
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

/** Before the parser: as long as a text is JSON, both read the same of it. */
function walk(raw: Buffer): Member[] {
  const extent: Extent = { maxDepth, maxValues, values: 0, beyond: undefined };
  const found = members(raw, 0, extent);
  // What is no object at all is parsed too, to tell where it is no JSON.
  if (found.length === 0) valueEnd(raw, skipBlanks(raw, 0), extent);
  if (extent.beyond === 'depth')
    throw new Refusal('invalid_request', `The body nests deeper than ${maxDepth} objects and arrays.`);
  if (extent.beyond === 'values')
    throw new Refusal('too_large', `The body holds more than ${maxValues.toLocaleString('en')} values.`);
  if (found.length > maxMembers)
    throw new Refusal('too_large', `The body has more than ${maxMembers.toLocaleString('en')} members at its top.`);
  return found;
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
