// Proofs of reasoning on the OpenAI wire: `reasoning_details` entries and a tool call's `extra_content`, tagged by origin.

import type { Format } from '../../exchange/format.ts';
import { formats } from '../../exchange/format.ts';
import type { Signature } from '../../exchange/prompt.ts';
import { finite, isObject, type Json, list, object, parse, text } from '../json.ts';

const own: Format = 'openai-chat';

/** The words OpenRouter uses for where a proof comes from; clients keep them, nobody checks them. */
const detailFormats: Readonly<Record<Format, string>> = {
  'openai-chat': 'unknown',
  'anthropic-messages': 'anthropic-claude-v1',
  'gemini-generate': 'google-gemini-v1',
};

/** `tg1.<origin>.<value>`: how a client of another format keeps a proof it cannot use. */
export function tag(signature: Signature): string {
  return signature.origin === own ? signature.value : `tg1.${signature.origin}.${signature.value}`;
}

export function untag(value: string): Signature {
  if (value.startsWith('tg1.')) {
    for (const origin of formats) {
      if (value.startsWith(`${origin}.`, 4)) return { origin, value: value.slice(5 + origin.length) };
    }
  }
  return { origin: own, value };
}

/**
 * `tollgate` in an entry that closes a streamed block: all blocks so far, or, where they are too long to repeat, how many
 * characters the pieces of this one have.
 */
export type Repeated = { readonly blocks: readonly Json[] } | { readonly characters: number };

export interface Detail {
  readonly text: string;
  readonly signature?: Signature;
  readonly redacted: boolean;
}

/**
 * One entry of `reasoning_details`. A proof of this format keeps the entry's other fields with it, because the
 * provider wants the entry back whole. `fromClient`: only a client returns tags of ours.
 */
export function decodeDetail(entry: Json, fromClient: boolean): Detail | undefined {
  const proof = text(entry.signature) ?? text(entry.data);
  const words = text(entry.text) ?? text(entry.summary) ?? '';
  const redacted = entry.type === 'reasoning.encrypted';
  if (proof === undefined) return words === '' ? undefined : { text: words, redacted: false };
  const tagged = fromClient ? untag(proof) : { origin: own, value: proof };
  if (tagged.origin !== own) return { text: words, signature: tagged, redacted };
  const { text: _text, summary: _summary, index: _index, tollgate: _repeated, ...kept } = entry;
  return { text: words, signature: { origin: own, value: JSON.stringify(kept) }, redacted };
}

/**
 * A client's whole list: what a closing entry repeats stands for all that came before it; otherwise pieces of one block,
 * which streams deliver one by one, are put together with their proof.
 */
export function decodeDetails(entries: readonly Json[]): Detail[] {
  const closing = entries.findLastIndex((entry) => repeated(entry).length > 0);
  const whole = [...repeated(object(entries[closing])), ...entries.slice(closing + 1)];
  const blocks: Detail[] = [];
  let lastIndex: unknown;
  for (const entry of whole) {
    const detail = decodeDetail(entry, true);
    if (!detail) continue;
    const last = blocks.at(-1);
    if (last && !last.signature && !detail.redacted && entry.index === lastIndex) {
      blocks[blocks.length - 1] = proven({ ...detail, text: last.text + detail.text }, entry);
    } else blocks.push(proven(detail, entry));
    lastIndex = entry.index;
  }
  return blocks.filter((block) => block.text !== '' || block.signature);
}

function repeated(entry: Json): Json[] {
  return list(object(entry.tollgate).blocks).filter(isObject);
}

/** Without its proof where the client lost some of the words: a provider refuses what it did not sign. */
function proven(detail: Detail, entry: Json): Detail {
  const characters = finite(object(entry.tollgate).characters);
  if (characters === undefined || characters === detail.text.length) return detail;
  return { text: detail.text, redacted: false };
}

/** The entry for a block of reasoning and its proof, if it has one. */
export function encodeDetail(
  words: string,
  signature: Signature | undefined,
  redacted: boolean,
  index: number,
): Record<string, unknown> {
  if (!signature) return { type: 'reasoning.text', text: words, index };
  const kept = signature.origin === own ? parse(signature.value) : undefined;
  if (kept !== undefined) {
    const entry = object(kept);
    if (words === '') return { ...entry, index };
    return entry.type === 'reasoning.summary' ? { ...entry, summary: words, index } : { ...entry, text: words, index };
  }
  const proof = tag(signature);
  const format = detailFormats[signature.origin];
  return redacted
    ? { type: 'reasoning.encrypted', data: proof, format, index }
    : { type: 'reasoning.text', text: words, signature: proof, format, index };
}

/** Google's own place in its OpenAI-compatible endpoint; also on whole messages, where older answers had it. */
export function googleSignature(holder: Json, fromClient: boolean): Signature | undefined {
  const value = text(object(object(holder.extra_content).google).thought_signature) ?? text(holder.thought_signature);
  if (value === undefined) return undefined;
  return fromClient ? untag(value) : { origin: own, value };
}

export function extraContent(signature: Signature): Record<string, unknown> {
  return { google: { thought_signature: tag(signature) } };
}
