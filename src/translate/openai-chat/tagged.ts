// Proofs of other formats, which we once gave this client to keep: a provider of this one gets none of them.

import type { Loss } from '../../exchange/prompt.ts';
import { isObject, type Json, list, object } from '../json.ts';
import { foreignReasoning } from '../losses.ts';

/** The messages without what carries our tag, or undefined where nothing does; what went is told. */
export function withoutTagged(raw: Buffer, body: Json, losses: Loss[]): Json[] | undefined {
  if (!raw.includes('"tg1.')) return undefined;
  let found = false;
  const messages = list(body.messages).map((value, index): Json => {
    const message = object(value);
    const kept = cleaned(message, `messages[${index}]`, losses);
    found ||= kept !== message;
    return kept;
  });
  return found ? messages : undefined;
}

/** The same object comes back where it has no tag. */
function cleaned(message: Json, path: string, losses: Loss[]): Json {
  const plain = unsigned(message, path, losses);
  const changes: Record<string, unknown> = {};
  if (Array.isArray(message.reasoning_details)) {
    // Words without their proof are refused or not believed: the whole entry goes.
    const details = message.reasoning_details.filter((entry, at) => {
      const tagged = isTaggedDetail(object(entry));
      if (tagged) losses.push(foreignReasoning(`${path}.reasoning_details[${at}]`));
      return !tagged;
    });
    if (details.length < message.reasoning_details.length) changes.reasoning_details = details;
  }
  if (Array.isArray(message.tool_calls)) {
    const calls = message.tool_calls.map((call, at) =>
      isObject(call) ? unsigned(call, `${path}.tool_calls[${at}]`, losses) : call,
    );
    if (calls.some((call, index) => call !== list(message.tool_calls)[index])) changes.tool_calls = calls;
  }
  if (Object.keys(changes).length === 0) return plain;
  const { reasoning_details, ...rest } = { ...plain, ...changes };
  return list(reasoning_details).length > 0 ? { ...rest, reasoning_details } : rest;
}

function isTaggedDetail(entry: Json): boolean {
  return isTagged(entry.signature) || isTagged(entry.data);
}

/** A message or a call without a tagged proof in either of Google's places. */
function unsigned(holder: Json, path: string, losses: Loss[]): Json {
  let kept = holder;
  if (isTagged(kept.thought_signature)) {
    losses.push(foreignReasoning(`${path}.thought_signature`));
    const { thought_signature: _tagged, ...rest } = kept;
    kept = rest;
  }
  const extra = object(kept.extra_content);
  if (!isTagged(object(extra.google).thought_signature)) return kept;
  losses.push(foreignReasoning(`${path}.extra_content.google.thought_signature`));
  const { extra_content: _extra, ...rest } = kept;
  const { thought_signature: _tagged, ...google } = object(extra.google);
  const { google: _google, ...others } = extra;
  const left = Object.keys(google).length > 0 ? { ...others, google } : others;
  return Object.keys(left).length > 0 ? { ...rest, extra_content: left } : rest;
}

function isTagged(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith('tg1.');
}
