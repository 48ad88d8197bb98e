// One request on its way up, as the gateway sends it: for tests of what a provider gets and what is told as lost.

import type { Format } from '../src/exchange/format.ts';
import { members } from '../src/exchange/json-span.ts';
import type { Loss } from '../src/exchange/prompt.ts';
import { codecs, encodeRequest } from '../src/translate/translate.ts';
import { targetOf } from './target.ts';

export interface Sent {
  readonly body: Record<string, unknown>;
  readonly losses: readonly Loss[];
}

export function send(
  client: Format,
  provider: Format,
  body: Record<string, unknown>,
  model = 'model-1',
  quirks: readonly string[] = [],
): Sent {
  const raw = Buffer.from(JSON.stringify(body));
  const surface = { kind: 'generate', format: client, model, stream: false } as const;
  const outline = codecs[client].outline(body, surface, raw.length);
  const request = { raw, body, members: members(raw) };
  const sent = encodeRequest(client, request, surface, outline, targetOf(provider, quirks, model), {});
  return { body: JSON.parse(String(sent.body)) as Record<string, unknown>, losses: sent.losses };
}
