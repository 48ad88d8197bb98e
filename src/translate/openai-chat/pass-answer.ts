// The same-format whole answer: the provider's bytes, with cost and saving put into its usage.

import type { AnswerContext, AnswerOut } from '../../exchange/codec.ts';
import { member, members, splice } from '../../exchange/json-span.ts';
import { isObject, type Json, list, object, parse, text } from '../json.ts';
import { errorInside, unreadable } from './errors.ts';
import { priceEdits } from './pass.ts';
import { decodeUsage, priceFields } from './usage.ts';

export function passAnswer(raw: Buffer, context: AnswerContext): AnswerOut {
  const body = parse(raw.toString('utf8').replace(/^\uFEFF/, ''));
  if (!isObject(body)) {
    return { body: raw, characters: 0, losses: [], failure: unreadable('The provider answered with no JSON object.') };
  }
  const failure =
    errorInside(body) ??
    (Array.isArray(body.choices) ? undefined : unreadable('The provider answered without choices.'));
  const usage = isObject(body.usage) ? decodeUsage(body.usage, text(body.service_tier)) : undefined;
  const model = text(body.model);
  const told = { ...(usage && { usage }), ...(model !== undefined && { model }) };
  if (failure) return { body: raw, characters: 0, losses: [], failure, ...told };
  const choices = list(body.choices).map(object);
  const price = usage && context.price(usage);
  const finish = text(choices[0]?.finish_reason);
  return {
    body: price ? priced(raw, priceFields(price)) : raw,
    ...told,
    characters: choices.reduce((sum, choice) => sum + messageCharacters(object(choice.message)), 0),
    ...(finish !== undefined && { finish }),
    losses: [],
  };
}

function priced(raw: Buffer, fields: { cost: number; saved: number }): Buffer {
  const brace = raw.indexOf('{');
  const at = member(members(raw, brace), 'usage');
  return at ? splice(raw, priceEdits(raw, at.from, fields)) : raw;
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
