// Reads the JSON body of an admin write, bounded, and says which field is wrong.

import type { z } from 'zod';
import { readValue } from '../config/wrong-values.ts';
import { Refusal } from '../exchange/refusal.ts';
import type { InboundRequest } from '../world/world.ts';

const bodyMaxBytes = 1_000_000;

/** Rejects with `Refusal`. */
export async function readJson(request: InboundRequest, schema: z.ZodType, maxBytes = bodyMaxBytes): Promise<unknown> {
  const type = request.headers['content-type'];
  // A form cannot send this type, so that a web page cannot write with what the browser has.
  if (typeof type !== 'string' || !/^application\/json\s*(;|$)/i.test(type)) {
    throw new Refusal('invalid_request', 'Send the body as content-type: application/json.', { status: 415 });
  }
  const text = (await readBytes(request, maxBytes)).toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal('invalid_request', 'The body is not JSON.');
  }
  return validBody(value, schema);
}

/** Throws `Refusal` that names the first field at fault. */
export function validBody(value: unknown, schema: z.ZodType): unknown {
  const { data, wrongs } = readValue(schema, value);
  if (!wrongs) return data;
  const [{ path, message }] = wrongs;
  const param = path.join('.');
  throw new Refusal('invalid_request', param ? `${param}: ${message}` : message, param ? { param } : {});
}

function readBytes(request: InboundRequest, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk) => {
      size += chunk.length;
      if (size > maxBytes) reject(new Refusal('too_large', `The body is larger than ${maxBytes} bytes.`));
      else chunks.push(chunk);
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', () => reject(new Refusal('client_closed', 'The connection broke.')));
    request.on('close', () => reject(new Refusal('client_closed', 'The client left.')));
  });
}
