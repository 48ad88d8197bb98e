// The end that the gateway gives a passing stream: each open choice reached its limit, then usage and the terminator.

import type { AnswerContext } from '../../exchange/codec.ts';
import type { Usage } from '../../exchange/usage.ts';
import type { Json } from '../json.ts';
import { encodeUsage } from './usage.ts';

export interface Passed {
  /** Choices seen, and whether each has named its finish reason. */
  readonly open: ReadonlyMap<number, boolean>;
  /** A call was begun. This format does not say where one ends, so that only a finish reason makes it whole. */
  readonly called: boolean;
  /** What every chunk of the stream says of itself. */
  readonly head: Json;
  /** The usage of the whole answer has left already. */
  readonly told: boolean;
}

export function headOf(chunk: Json): Json {
  const { id, object, created, model, system_fingerprint } = chunk;
  return { id, object, created, model, ...(system_fingerprint === undefined ? {} : { system_fingerprint }) };
}

export function finishPass(passed: Passed, usage: Usage, context: AnswerContext): string | undefined {
  const { open, called, head, told } = passed;
  const unfinished = [...open].filter(([, ended]) => !ended).map(([index]) => index);
  if (open.size === 0 || (called && unfinished.length > 0)) return undefined;
  const chunk = (fields: Json): string => `data: ${JSON.stringify({ ...head, ...fields })}\n\n`;
  const ends = unfinished.map((index) => chunk({ choices: [{ index, delta: {}, finish_reason: 'length' }] }));
  const count =
    context.wantsUsage && !told ? chunk({ choices: [], usage: encodeUsage(usage, context.price(usage)) }) : '';
  return `${ends.join('')}${count}data: [DONE]\n\n`;
}
