// How much a model may think within an output limit: limit and thinking budget are clamped together.

import type { Format } from './exchange/format.ts';
import type { Outline } from './exchange/outline.ts';
import type { Target } from './exchange/target.ts';
import type { Meter } from './meter/meter.ts';

/** Below it the provider refuses the budget. Where thinking has no budget of its own, the output limit bounds it. */
const floors: Readonly<Record<Format, number>> = {
  'openai-chat': 0,
  'anthropic-messages': 1024,
  'gemini-generate': 128,
};

/** Tokens that stay for the answer itself, at least. */
const answerTokens = 16;

export type Thinking =
  /** Nothing to change: no thinking was asked for, or it fits. */
  | { readonly kind: 'fits' }
  | { readonly kind: 'clamped'; readonly budget: number }
  | { readonly kind: 'too-little'; readonly floor: number };

/** Whether a stream may hold thoughts that nobody sees: of a model that nobody has had an answer from it is not known. */
export function mayThink(meter: Meter, outline: Outline, name: string): boolean {
  return outline.thinkingBudget !== undefined || meter.thinks(name) !== false;
}

/** What becomes of the thinking that a request asks for where its answer may have so many tokens. */
export function thinkingWithin(outline: Outline, target: Target, outputLimit: number): Thinking {
  const asked = outline.thinkingBudget;
  const floor = floors[target.provider.format];
  if (asked === undefined || asked <= 0 || floor === 0) return { kind: 'fits' };
  // A client that leaves its answer less room than we would has its own reasons.
  const room = Math.max(1, (outline.outputLimit ?? Number.POSITIVE_INFINITY) - asked);
  const reserve = Math.min(Math.max(answerTokens, Math.ceil(outputLimit / 4)), room);
  if (asked + reserve <= outputLimit) return { kind: 'fits' };
  const budget = outputLimit - reserve;
  return budget < floor ? { kind: 'too-little', floor } : { kind: 'clamped', budget };
}
