// A whole answer between two Gemini speakers: the provider's bytes, with cost and saving added to its usage.

import type { AnswerContext, AnswerOut } from '../../exchange/codec.ts';
import { member, members, setMember, splice } from '../../exchange/json-span.ts';
import type { Usage } from '../../exchange/usage.ts';
import { errorOf, failureOf, unreadable } from './errors.ts';
import { blockWord } from './finish.ts';
import { decodeUsage, mapsPrompts, mergeMetadata, searches, withSearches } from './usage.ts';
import { type Fields, field, fieldsOf, listOf, parsed, textOf } from './wire.ts';

export function passAnswer(raw: Buffer, context: AnswerContext): AnswerOut {
  const body = parsed(raw.toString('utf8'));
  const error = errorOf(body);
  const answer = fieldsOf(body);
  const usage = usageOf(answer, context.model);
  const model = textOf(field(answer, 'modelVersion'));
  const told = { ...(usage ? { usage } : {}), ...(model === undefined ? {} : { model }) };
  const candidates = listOf(answer.candidates).map(fieldsOf);
  const blocked = blockWord(field(fieldsOf(field(answer, 'promptFeedback')), 'blockReason'));
  if (error || (candidates.length === 0 && blocked === undefined)) {
    return { body: raw, characters: 0, failure: error ? failureOf(error) : unreadable, losses: [], ...told };
  }
  return {
    body: usage ? withCost(raw, usage, context) : raw,
    ...told,
    characters: charactersOf(candidates),
    losses: [],
  };
}

export function usageOf(body: Fields, model: string): Usage | undefined {
  const before: Fields = {};
  const metadata = mergeMetadata(before, field(body, 'usageMetadata'));
  if (metadata === before) return undefined;
  const candidates = listOf(body.candidates);
  const named = textOf(field(body, 'modelVersion')) ?? model;
  return withSearches(decodeUsage(metadata), searches(candidates, named), mapsPrompts(candidates));
}

/** The JSON object in `raw` that begins at `start`, with the price in its usage. The same bytes where there is no price. */
export function withCost(raw: Buffer, usage: Usage, context: AnswerContext, start = 0): Buffer {
  const price = context.price(usage);
  const list = price ? members(raw, start) : [];
  const metadata = member(list, 'usageMetadata') ?? member(list, 'usage_metadata');
  if (!price || !metadata) return raw;
  const inner = members(raw, metadata.from);
  const text = `${price.cost / 1e9},"saved":${price.saved / 1e9}`;
  // A provider that is itself such a gateway may have its own cost there: it is replaced, never repeated.
  if (member(inner, 'cost') || member(inner, 'saved')) {
    const fields = fieldsOf(parsed(raw.toString('utf8', metadata.from, metadata.to)));
    const replaced = JSON.stringify({ ...fields, cost: price.cost / 1e9, saved: price.saved / 1e9 });
    return splice(raw, [{ from: metadata.from, to: metadata.to, text: replaced }]);
  }
  return splice(raw, [setMember(raw, inner, metadata.from, 'cost', text)]);
}

/** Characters a model wrote: text, thoughts, code and arguments. */
export function charactersOf(candidates: readonly Fields[]): number {
  let characters = 0;
  for (const candidate of candidates) {
    for (const each of listOf(fieldsOf(candidate.content).parts)) {
      const part = fieldsOf(each);
      const call = field(part, 'functionCall');
      const code = field(part, 'executableCode');
      characters += textOf(part.text)?.length ?? 0;
      if (call !== undefined) characters += JSON.stringify(call).length;
      if (code !== undefined) characters += JSON.stringify(code).length;
    }
  }
  return characters;
}
