// Parts as a whole Gemini answer.

import type { AnswerContext } from '../../exchange/codec.ts';
import type { Part } from '../../exchange/part.ts';
import type { Citation, Loss } from '../../exchange/prompt.ts';
import type { Usage } from '../../exchange/usage.ts';
import { encodeCitations } from './citations.ts';
import { type PartEncoder, partEncoder } from './encode-parts.ts';
import { encodeFinish } from './finish.ts';
import { encodeLogprobs } from './logprobs.ts';
import { encodeUsage } from './usage.ts';
import { type Fields, fieldsOf, listOf } from './wire.ts';

interface Candidate {
  readonly encoder: PartEncoder;
  readonly parts: Fields[];
  readonly citations: Citation[];
  readonly logprobs: unknown[];
  text: string;
  finish: Fields;
}

export function encodeAnswer(
  parts: readonly Part[],
  context: AnswerContext,
): { body: string; losses: readonly Loss[] } {
  const losses: Loss[] = [];
  const candidates = new Map<number, Candidate>();
  let usage: Usage | undefined;
  let id: string | undefined;
  let model = context.model;
  for (const part of parts) {
    if (part.type === 'start') {
      id = part.id;
      model = part.model ?? model;
    } else if (part.type === 'usage') usage = part.usage;
    else if ('choice' in part) {
      let candidate = candidates.get(part.choice);
      if (!candidate) {
        candidate = {
          encoder: partEncoder(context, losses),
          parts: [],
          citations: [],
          logprobs: [],
          text: '',
          finish: {},
        };
        candidates.set(part.choice, candidate);
      }
      take(part, candidate);
    }
  }
  const price = usage && context.price(usage);
  const body = {
    candidates: [...candidates].sort(([a], [b]) => a - b).map(([index, candidate]) => whole(index, candidate)),
    ...(usage ? { usageMetadata: encodeUsage(usage, price) } : {}),
    modelVersion: model,
    responseId: id ?? context.id('resp'),
  };
  return { body: JSON.stringify(body), losses };
}

function take(part: Extract<Part, { readonly choice: number }>, candidate: Candidate): void {
  if (part.type === 'finish') candidate.finish = encodeFinish(part.reason, part.raw);
  else if (part.type === 'citation') candidate.citations.push(part.citation);
  else {
    if (part.type === 'text-delta') {
      candidate.text += part.text;
      candidate.logprobs.push(...listOf(fieldsOf(part.logprobs).content));
    }
    for (const each of candidate.encoder.push(part)) append(candidate.parts, each);
  }
}

/** Deltas of one kind are one part; a proof belongs to the part before it. */
function append(parts: Fields[], part: Fields): void {
  const last = parts.at(-1);
  const joins =
    typeof last?.text === 'string' &&
    typeof part.text === 'string' &&
    last.thought === part.thought &&
    last.thoughtSignature === undefined;
  if (joins && last) parts[parts.length - 1] = { ...last, ...part, text: `${last.text}${part.text}` };
  else parts.push(part);
}

function whole(index: number, candidate: Candidate): Fields {
  for (const part of candidate.encoder.flush()) candidate.parts.push(part);
  const logprobsResult = encodeLogprobs({ content: candidate.logprobs });
  return {
    content: { role: 'model', parts: candidate.parts },
    ...candidate.finish,
    index,
    ...encodeCitations(candidate.citations, candidate.text),
    ...(logprobsResult ? { logprobsResult } : {}),
  };
}
