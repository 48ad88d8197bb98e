// The end that the gateway gives a passing stream: a last chunk in which every open candidate has reached its limit.

import type { AnswerContext } from '../../exchange/codec.ts';
import type { Usage } from '../../exchange/usage.ts';
import type { Framer } from './framing.ts';
import type { State } from './stream-usage.ts';
import { encodeUsage } from './usage.ts';
import { type Fields, field, fieldsOf, listOf } from './wire.ts';

/** Whether a call whose arguments come in pieces is open behind these candidates. Other calls come whole. */
export function callGoesOn(candidates: readonly Fields[], before: boolean): boolean {
  let open = before;
  for (const candidate of candidates) {
    for (const part of listOf(fieldsOf(candidate.content).parts)) {
      const call = field(fieldsOf(part), 'functionCall');
      if (call !== undefined) open = field(fieldsOf(call), 'willContinue') === true;
    }
  }
  return open;
}

export function finishPass(state: State, usage: Usage, context: AnswerContext, frames: Framer): string | undefined {
  const open = [...state.finished].filter(([, ended]) => !ended).map(([index]) => index);
  if (state.failed || state.finished.size === 0 || (state.calling && open.length > 0)) return undefined;
  if (open.length === 0) return frames.close();
  const candidates = open.map((index) => ({
    content: { role: 'model', parts: [{ text: '' }] },
    finishReason: 'MAX_TOKENS',
    index,
  }));
  const last = {
    candidates,
    usageMetadata: encodeUsage(usage, context.price(usage)),
    modelVersion: state.model ?? context.model,
    ...(state.responseId === undefined ? {} : { responseId: state.responseId }),
  };
  return frames.frame(JSON.stringify(last)) + frames.close();
}
