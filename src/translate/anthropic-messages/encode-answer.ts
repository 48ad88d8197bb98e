// Parts as a whole Messages answer.

import type { AnswerContext } from '../../exchange/codec.ts';
import type { Part } from '../../exchange/part.ts';
import type { Loss } from '../../exchange/prompt.ts';
import type { Usage } from '../../exchange/usage.ts';
import { noUsage } from '../../exchange/usage.ts';
import { type Json, parse } from '../json.ts';
import { type BlockSink, BlockWriter } from './block-writer.ts';
import { encodeFinish, isOwnWord, type Stop } from './finish.ts';
import { encodeUsage } from './usage.ts';

export type Finish = Extract<Part, { type: 'finish' }>;

export function encodeAnswer(
  parts: readonly Part[],
  context: AnswerContext,
): { body: string; losses: readonly Loss[] } {
  const losses: Loss[] = [];
  const content: Record<string, unknown>[] = [];
  const writer = new BlockWriter(collect(content, losses), losses);
  let start: Extract<Part, { type: 'start' }> | undefined;
  let finish: Finish | undefined;
  let usage: Usage = noUsage();
  let choices = 1;
  for (const part of parts) {
    if ('choice' in part) choices = Math.max(choices, part.choice + 1);
    if (part.type === 'start') start ??= part;
    else if (part.type === 'usage') usage = part.usage;
    else if (part.type === 'finish' && part.choice === 0) finish = part;
    else writer.push(part);
  }
  if (choices > 1) losses.push({ field: 'n', how: 'dropped', note: 'only the first answer is shown' });
  if (finish?.reason === 'other') losses.push({ field: 'stop_reason', how: 'changed', note: finish.raw ?? 'other' });
  writer.finish();
  const { empty, calledTool, refusal } = writer;
  if (empty && refusal !== '') content.push({ type: 'text', text: refusal });
  const body = {
    id: start?.id ?? context.id('msg_'),
    type: 'message',
    role: 'assistant',
    model: start?.model ?? context.model,
    content,
    ...encodeStop(finish, calledTool, refusal),
    usage: encodeUsage(usage, context.price(usage)),
  };
  return { body: JSON.stringify(body), losses };
}

/** The three fields that say why it stopped; `stop_details` only where a refusal has words. */
export function encodeStop(
  finish: Finish | undefined,
  calledTool: boolean,
  refusal: string,
): Stop & { stop_details?: Json } {
  const asked = finish?.reason ?? 'stop';
  const plain = asked === 'stop' && finish?.stopSequence === undefined && !isOwnWord(finish?.raw);
  const reason = plain && refusal !== '' ? 'refusal' : plain && calledTool ? 'tool-calls' : asked;
  const stop = encodeFinish(reason, finish?.raw, finish?.stopSequence);
  if (refusal === '') return stop;
  return { ...stop, stop_details: { type: 'refusal', category: null, explanation: refusal } };
}

/** Blocks grow in place as their deltas come. */
function collect(content: Record<string, unknown>[], losses: Loss[]): BlockSink {
  const append = (block: Record<string, unknown>, key: string, value: unknown): void => {
    block[key] = `${block[key] ?? ''}${value}`;
  };
  let input: string[] = [];
  return {
    open(block) {
      input = [];
      content.push({ ...block });
    },
    words(_, field, words) {
      const block = content.at(-1);
      if (block) append(block, field, words);
    },
    delta(delta) {
      const block = content.at(-1);
      if (!block) return;
      if (delta.type === 'signature_delta') append(block, 'signature', delta.signature);
      else if (delta.type === 'input_json_delta') input.push(String(delta.partial_json));
      else if (delta.type === 'citations_delta') {
        block.citations = [...(Array.isArray(block.citations) ? block.citations : []), delta.citation];
      }
    },
    close() {
      const block = content.at(-1);
      if (!block || input.length === 0) return;
      const json = input.join('');
      const value = parse(json);
      block.input = value ?? { input: json };
      if (value === undefined) losses.push({ field: 'input', how: 'changed', note: 'arguments that are no JSON' });
    },
  };
}
