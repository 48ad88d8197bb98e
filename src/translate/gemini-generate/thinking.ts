// What a prompt asks of reasoning, in the words each generation of Gemini models accepts.

import type { Loss, Reasoning } from '../../exchange/prompt.ts';
import { generation } from './wire.ts';

/** Tokens that stand for a neutral effort where a model wants a budget; Google's own compatibility layer uses the middle three. */
const budgets = { none: 0, minimal: 512, low: 1024, medium: 8192, high: 24576, xhigh: 24576, max: 24576 } as const;

export function encodeThinking(
  reasoning: Reasoning,
  model: string,
  losses: Loss[],
): Record<string, unknown> | undefined {
  const age = generation(model);
  if (age < 2.5) {
    if (reasoning.enabled) losses.push({ field: 'thinking', how: 'dropped', note: `${model} does not think` });
    return undefined;
  }
  const shown = reasoning.visible === undefined ? {} : { includeThoughts: reasoning.visible !== false };
  const off = !reasoning.enabled || reasoning.effort === 'none';
  if (age < 3)
    return off ? { thinkingBudget: least(model, losses) } : { ...budget(reasoning, model, losses), ...shown };
  if (off) return lowest(model, losses);
  if (reasoning.effort !== undefined) return { thinkingLevel: level(reasoning.effort, model, losses), ...shown };
  if (reasoning.budgetTokens !== undefined) return { thinkingBudget: reasoning.budgetTokens, ...shown };
  return reasoning.visible === undefined ? undefined : shown;
}

/** The Pro models of 2.5 cannot stop thinking. */
function least(model: string, losses: Loss[]): number {
  if (!model.includes('pro')) return 0;
  losses.push({ field: 'thinking', how: 'clamped', note: `${model} thinks with at least 128 tokens` });
  return 128;
}

function budget(reasoning: Reasoning, model: string, losses: Loss[]): { thinkingBudget?: number } {
  const most = model.includes('pro') ? 32768 : 24576;
  if (reasoning.budgetTokens !== undefined) {
    const clamped = Math.min(reasoning.budgetTokens, most);
    if (clamped < reasoning.budgetTokens)
      losses.push({ field: 'thinking.budget_tokens', how: 'clamped', note: `at most ${most} tokens` });
    return { thinkingBudget: clamped };
  }
  const { effort } = reasoning;
  if (effort === undefined) return reasoning.adaptive ? { thinkingBudget: -1 } : {};
  if (effort === 'xhigh' || effort === 'max')
    losses.push({ field: 'reasoning_effort', how: 'clamped', note: `${effort} became high` });
  return { thinkingBudget: budgets[effort] };
}

/** From generation 3 on nothing turns thinking off; Flash models go down to minimal, Pro models to low. */
function lowest(model: string, losses: Loss[]): Record<string, unknown> {
  const word = model.includes('pro') ? 'low' : 'minimal';
  losses.push({ field: 'thinking', how: 'clamped', note: `${model} cannot stop thinking: ${word}` });
  return { thinkingLevel: word };
}

function level(effort: NonNullable<Reasoning['effort']>, model: string, losses: Loss[]): string {
  let word = effort === 'xhigh' || effort === 'max' ? 'high' : effort;
  if (model.includes('pro') && word === 'minimal') word = 'low';
  // Gemini 3 Pro, before 3.1, knew two levels only.
  if (/gemini-3-pro/.test(model) && word === 'medium') word = 'high';
  if (word !== effort) losses.push({ field: 'reasoning_effort', how: 'clamped', note: `${effort} became ${word}` });
  return word;
}
