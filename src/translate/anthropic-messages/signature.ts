// Proofs of reasoning on this wire: its own as they are, foreign ones under a tag in a thinking block's place.

import { type Format, formats } from '../../exchange/format.ts';
import type { Signature } from '../../exchange/prompt.ts';

export const own: Format = 'anthropic-messages';

const prefix = 'tg1.';

/** What stands where a thinking block had no proof: clients want a string, and no provider made this one. */
export const unsigned = `${prefix}none.`;

/** Which block a proof belongs to, where this format has no place on that block itself. */
export type Holder = 'reasoning' | 'tool' | 'text';

/**
 * `tg1.<origin>.<value>`; for proofs that belong to a neighbour, `tg1.<origin>.tool:<value>` (the tool call that
 * follows) and `tg1.<origin>.text:<value>` (the text that came before).
 */
export function tag(signature: Signature, holder: Holder = 'reasoning'): string {
  if (signature.origin === own && holder === 'reasoning') return signature.value;
  return `${prefix}${signature.origin}.${holder === 'reasoning' ? '' : `${holder}:`}${signature.value}`;
}

export function isTagged(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith(prefix);
}

/** Undefined where there is no proof at all. */
export function untag(value: string): { signature: Signature; holder: Holder } | undefined {
  if (value === '' || value.startsWith(unsigned)) return undefined;
  if (!value.startsWith(prefix)) return { signature: { origin: own, value }, holder: 'reasoning' };
  const origin = formats.find((format) => value.startsWith(`${format}.`, prefix.length));
  if (!origin) return undefined;
  const rest = value.slice(prefix.length + origin.length + 1);
  const holder = rest.startsWith('tool:') ? 'tool' : rest.startsWith('text:') ? 'text' : 'reasoning';
  return { signature: { origin, value: holder === 'reasoning' ? rest : rest.slice(5) }, holder };
}
