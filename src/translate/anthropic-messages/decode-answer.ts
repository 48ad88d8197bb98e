// A whole Messages answer as parts.

import type { Part, UpstreamFailure } from '../../exchange/part.ts';
import { isObject, type Json, list, object, text } from '../json.ts';
import { decodeCitation, opaque } from './decode-blocks.ts';
import { failureOf, unreadable } from './errors.ts';
import { decodeFinish } from './finish.ts';
import { own } from './signature.ts';
import { decodeUsage } from './usage.ts';

export function decodeAnswer(body: unknown): Part[] {
  if (!isObject(body)) return [{ type: 'error', failure: unreadable('The provider’s answer is not a JSON object.') }];
  const failure = failureIn(body);
  if (failure) return [...decodeEnd({}, object(body.usage)), { type: 'error', failure }];
  const parts: Part[] = [startOf(body)];
  let tools = 0;
  let characters = 0;
  for (const value of list(body.content)) {
    const block = object(value);
    if (block.type === 'text') {
      const words = text(block.text) ?? '';
      if (words !== '') parts.push({ type: 'text-delta', choice: 0, text: words });
      for (const each of list(block.citations)) {
        parts.push({
          type: 'citation',
          choice: 0,
          citation: decodeCitation(each, characters, characters + words.length),
        });
      }
      characters += words.length;
    } else if (block.type === 'tool_use') {
      parts.push(toolStart(block, tools), toolInput(tools, JSON.stringify(block.input ?? {})));
      tools++;
    } else parts.push(...decodeOther(block));
  }
  parts.push(...decodeEnd(body, object(body.usage)), { type: 'end' });
  return parts;
}

/** Why a body with status 200 is no answer. */
export function failureIn(body: Json): UpstreamFailure | undefined {
  const failed = body.type === 'error' || (isObject(body.error) && body.type !== 'message');
  if (failed) return failureOf(body, 0);
  return Array.isArray(body.content) ? undefined : unreadable('The provider’s answer has no content.');
}

export function startOf(message: Json): Part {
  const id = text(message.id);
  const model = text(message.model);
  return { type: 'start', ...(id === undefined ? {} : { id }), ...(model === undefined ? {} : { model }) };
}

export function toolStart(block: Json, index: number): Part {
  return {
    type: 'tool-input-start',
    choice: 0,
    index,
    id: text(block.id) ?? '',
    name: text(block.name) ?? '',
  };
}

export function toolInput(index: number, input: string): Part {
  return { type: 'tool-input-delta', choice: 0, index, text: input };
}

export function reasoningProof(value: string, redacted: boolean): Part {
  return {
    type: 'reasoning-signature',
    choice: 0,
    signature: { origin: own, value },
    ...(redacted ? { redacted } : {}),
  };
}

/** Thinking, and whatever only this format's clients understand. */
function decodeOther(block: Json): Part[] {
  if (block.type === 'redacted_thinking') return [reasoningProof(text(block.data) ?? '', true)];
  if (block.type !== 'thinking') return [{ type: 'opaque', choice: 0, block: opaque(block) }];
  const parts: Part[] = [];
  const words = text(block.thinking);
  const proof = text(block.signature);
  if (words !== undefined) parts.push({ type: 'reasoning-delta', choice: 0, text: words });
  if (proof !== undefined) parts.push(reasoningProof(proof, false));
  return parts;
}

/** Usage, why it stopped, and what a refusal says of itself. `holder` is the message, or a stream's last `delta`. */
export function decodeEnd(holder: Json, usage: Json): Part[] {
  const parts: Part[] = [];
  const explanation = text(object(holder.stop_details).explanation);
  if (explanation !== undefined) parts.push({ type: 'refusal-delta', choice: 0, text: explanation });
  if (Object.keys(usage).length > 0) parts.push({ type: 'usage', usage: decodeUsage(usage) });
  const raw = text(holder.stop_reason);
  if (raw !== undefined) {
    const stopSequence = text(holder.stop_sequence);
    parts.push({
      type: 'finish',
      choice: 0,
      reason: decodeFinish(raw),
      raw,
      ...(stopSequence === undefined ? {} : { stopSequence }),
    });
  }
  return parts;
}
