// The same-format whole answer: the provider's bytes, with cost and saving put into its usage.

import type { AnswerContext, AnswerOut } from '../../exchange/codec.ts';
import { lastValue, member, members, splice } from '../../exchange/json-span.ts';
import { isObject, type Json, list, object, parse, text } from '../json.ts';
import { errorInside, unreadable } from './errors.ts';
import { priceEdits } from './pass.ts';
import { decodeUsage, priceFields } from './usage.ts';

export function passAnswer(raw: Buffer, context: AnswerContext): AnswerOut {
  const said = raw.toString('utf8');
  const body = parse(said.charCodeAt(0) === 0xfeff ? said.slice(1) : said);
  if (!isObject(body)) {
    return { body: raw, characters: 0, losses: [], failure: unreadable('The provider answered with no JSON object.') };
  }
  const failure =
    errorInside(body) ??
    (Array.isArray(body.choices) ? undefined : unreadable('The provider answered without choices.'));
  const usage = isObject(body.usage) ? decodeUsage(body.usage, text(body.service_tier)) : undefined;
  const model = text(body.model);
  if (failure) return { body: raw, characters: 0, losses: [], failure, usage, model };
  const choices = list(body.choices).map(object);
  const price = usage && context.price(usage);
  return {
    body: price ? priced(raw, said, object(body.usage), priceFields(price)) : raw,
    usage,
    model,
    characters: choices.reduce((sum, choice) => sum + messageCharacters(object(choice.message)), 0),
    losses: [],
  };
}

const usageName = Buffer.from('"usage"');

/** `said`: the same as text. Where every character is a byte the answer stays text, and is copied no more. */
function priced(raw: Buffer, said: string, usage: Json, fields: { cost: number; saved: number }): Buffer | string {
  const from = lastValue(raw, usageName) ?? member(members(raw, raw.indexOf('{')), 'usage')?.from;
  if (from === undefined || raw[from] !== 0x7b) return raw;
  // A provider that is itself such a gateway may have its own there: they are replaced, never repeated.
  if ('cost' in usage || 'saved' in usage) return splice(raw, priceEdits(raw, from, fields));
  const text = `"cost":${fields.cost},"saved":${fields.saved}${Object.keys(usage).length > 0 ? ',' : ''}`;
  if (said.length === raw.length) return said.slice(0, from + 1) + text + said.slice(from + 1);
  return splice(raw, [{ from: from + 1, to: from + 1, text }]);
}

function messageCharacters(message: Json): number {
  let total = textLength(message.content) + textLength(message.refusal);
  total += textLength(message.reasoning_content ?? message.reasoning) + textLength(object(message.audio).transcript);
  for (const call of [...list(message.tool_calls).map(object), { function: message.function_call }]) {
    const body = object(object(call).function ?? (call as Json).custom);
    total += textLength(body.name) + textLength(body.arguments) + textLength(body.input);
  }
  return total;
}

function textLength(value: unknown): number {
  if (typeof value === 'string') return value.length;
  return list(value).reduce<number>((sum, part) => sum + textLength(object(part).text ?? object(part).thinking), 0);
}
