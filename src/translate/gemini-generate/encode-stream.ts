// Parts as a Gemini stream: each chunk is an answer that adds to the last, as events or as elements of one JSON array.

import type { AnswerContext, StreamEncoder } from '../../exchange/codec.ts';
import type { Part } from '../../exchange/part.ts';
import type { Citation } from '../../exchange/prompt.ts';
import type { Usage } from '../../exchange/usage.ts';
import { createLosses, type Losses } from '../losses.ts';
import { encodeCitations } from './citations.ts';
import { type PartEncoder, partEncoder } from './encode-parts.ts';
import { errorBody } from './errors.ts';
import { encodeFinish } from './finish.ts';
import { framer, heartbeat } from './framing.ts';
import { encodeLogprobs } from './logprobs.ts';
import { encodeUsage } from './usage.ts';
import type { Fields } from './wire.ts';

interface Choice {
  readonly encoder: PartEncoder;
  readonly citations: Citation[];
  text: string;
  finish?: Fields;
}

export function streamEncoder(context: AnswerContext): StreamEncoder {
  const frames = framer(context.framing);
  const choices = new Map<number, Choice>();
  const losses = createLosses();
  let head = { modelVersion: context.model, responseId: '' };
  let usage: Usage | undefined;
  let ended = false;

  const chunk = (candidates: readonly Fields[], more: Fields = {}): string => {
    if (head.responseId === '') head = { ...head, responseId: context.id('resp') };
    return frames.frame(JSON.stringify({ candidates, ...more, ...head }));
  };
  /** Usage may come after the finish, so that both wait for the end and leave together, as Gemini sends them. */
  const last = (): string => {
    ended = true;
    const price = usage && context.price(usage);
    const candidates = [...choices].map(([index, choice]) => ({
      content: { role: 'model', parts: choice.encoder.flush() },
      ...choice.finish,
      index,
      ...encodeCitations(choice.citations, choice.text),
    }));
    return chunk(candidates, usage ? { usageMetadata: encodeUsage(usage, price) } : {});
  };
  return {
    push(part) {
      if (part.type === 'start') {
        head = { modelVersion: part.model ?? head.modelVersion, responseId: part.id ?? head.responseId };
      } else if (part.type === 'usage') usage = part.usage;
      else if (part.type === 'end') return ended ? '' : last();
      else if ('choice' in part) return pushChoice(part, choices, context, losses, chunk);
      return '';
    },
    end: () => frames.close(),
    losses: () => losses.all,
    fail: (refusal) => frames.frame(errorBody(refusal, context)) + frames.close(),
    heartbeat: () => heartbeat(context.framing),
  };
}

function pushChoice(
  part: Extract<Part, { readonly choice: number }>,
  choices: Map<number, Choice>,
  context: AnswerContext,
  losses: Losses,
  chunk: (candidates: readonly Fields[]) => string,
): string {
  let choice = choices.get(part.choice);
  if (!choice) {
    choice = { encoder: partEncoder(context, losses), citations: [], text: '' };
    choices.set(part.choice, choice);
  }
  if (part.type === 'finish') choice.finish = encodeFinish(part.reason, part.raw);
  else if (part.type === 'citation') choice.citations.push(part.citation);
  else {
    const parts = choice.encoder.push(part);
    let logprobs: object | undefined;
    if (part.type === 'text-delta') {
      choice.text += part.text;
      logprobs = encodeLogprobs(part.logprobs);
    }
    if (parts.length > 0 || logprobs) {
      const candidate = { content: { role: 'model', parts }, index: part.choice };
      return chunk([logprobs ? { ...candidate, logprobsResult: logprobs } : candidate]);
    }
  }
  return '';
}
