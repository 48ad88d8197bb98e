// How much a Claude model may think and put out: effort, budget and limit, whichever the client spoke of.

import type { Loss, Prompt, Reasoning } from '../../exchange/prompt.ts';
import { compact, type Json } from '../json.ts';
import type { Traits } from './models.ts';

/** Where the model is unknown and the client set no limit. */
const defaultOutputLimit = 8192;
/** A client without a limit means "as much as it takes"; more than this wants to be asked for. */
const generousOutputLimit = 32_000;
/** Below this the provider refuses a thinking budget. */
export const leastBudget = 1024;

/** Tokens of thinking that stand for a word. */
const budgets: Readonly<Record<NonNullable<Reasoning['effort']>, number>> = {
  none: 0,
  minimal: 1024,
  low: 2048,
  medium: 8192,
  high: 16_384,
  xhigh: 24_576,
  max: 31_999,
};

function effortOf(budget: number): NonNullable<Reasoning['effort']> {
  return budget <= 4096 ? 'low' : budget < 16_384 ? 'medium' : 'high';
}

export interface Allowance {
  readonly max_tokens: number;
  readonly thinking?: Json;
  readonly effort?: string;
  /** Thinking is on for certain, which forbids some other parameters. */
  readonly thinks: boolean;
}

/** `unwanted` says why thinking has to stay off in this request, where it has to. */
export function encodeAllowance(
  prompt: Prompt,
  model: Traits,
  unwanted: string | undefined,
  losses: Loss[],
): Allowance {
  const reasoning = prompt.reasoning;
  const adaptive =
    model.thinking === 'adaptive' || (model.thinking === 'either' && reasoning?.budgetTokens === undefined);
  if (!reasoning) return { max_tokens: outputLimit(prompt, model, 0, losses), thinks: false };
  if (!reasoning.enabled || reasoning.effort === 'none') {
    return compactAllowance(
      outputLimit(prompt, model, 0, losses),
      adaptive ? { type: 'disabled' } : undefined,
      undefined,
    );
  }
  if (model.thinking === 'none') {
    losses.push({ field: 'thinking', how: 'dropped', note: 'the model does not think' });
    return { max_tokens: outputLimit(prompt, model, 0, losses), thinks: false };
  }
  const effort = encodeEffort(reasoning, model, adaptive, losses);
  if (unwanted !== undefined) {
    losses.push({ field: 'thinking', how: 'changed', note: `thinking is off: ${unwanted}` });
    const off = adaptive ? { type: 'disabled' } : undefined;
    return compactAllowance(outputLimit(prompt, model, 0, losses), off, effort);
  }
  const display = typeof reasoning.visible !== 'boolean' ? undefined : reasoning.visible ? 'summarized' : 'omitted';
  if (adaptive) {
    const thinking = compact({ type: 'adaptive', display });
    return compactAllowance(outputLimit(prompt, model, 0, losses), thinking, effort);
  }
  return withBudget(prompt, reasoning, model, effort, display, losses);
}

function withBudget(
  prompt: Prompt,
  reasoning: Reasoning,
  model: Traits,
  effort: string | undefined,
  display: string | undefined,
  losses: Loss[],
): Allowance {
  const wanted = reasoning.budgetTokens ?? budgets[reasoning.effort ?? 'medium'];
  const limit = outputLimit(prompt, model, wanted, losses);
  if (limit <= leastBudget) {
    losses.push({ field: 'thinking', how: 'dropped', note: `no room to think within ${limit} tokens` });
    return compactAllowance(limit, undefined, effort);
  }
  // Told as a loss only where the client named a number: an effort never promised one. Half stays for the answer then.
  const most = reasoning.budgetTokens === undefined ? Math.max(leastBudget, Math.floor(limit / 2)) : limit - 1;
  const budget = Math.max(leastBudget, Math.min(wanted, most));
  if (reasoning.budgetTokens !== undefined && budget !== wanted) {
    losses.push({ field: 'thinking', how: 'clamped', note: `thinking budget ${wanted} became ${budget}` });
  }
  return compactAllowance(limit, compact({ type: 'enabled', budget_tokens: budget, display }), effort);
}

function compactAllowance(limit: number, thinking: Json | undefined, effort: string | undefined): Allowance {
  const thinks = thinking !== undefined && thinking.type !== 'disabled';
  return {
    max_tokens: limit,
    thinks,
    ...(thinking ? { thinking } : {}),
    ...(effort === undefined ? {} : { effort }),
  };
}

function encodeEffort(reasoning: Reasoning, model: Traits, adaptive: boolean, losses: Loss[]): string | undefined {
  const asked =
    reasoning.effort ??
    (adaptive && reasoning.budgetTokens !== undefined ? effortOf(reasoning.budgetTokens) : undefined);
  if (adaptive && reasoning.budgetTokens !== undefined) {
    losses.push({
      field: 'thinking',
      how: 'changed',
      note: `the model sets its own budget; effort ${asked} was sent`,
    });
  }
  if (asked === undefined || model.efforts.length === 0) return undefined;
  if (model.efforts.includes(asked)) return asked;
  const nearest = asked === 'minimal' ? 'low' : 'high';
  losses.push({ field: 'thinking', how: 'changed', note: `effort ${asked} became ${nearest}` });
  return nearest;
}

/** This format alone wants a limit in every request: what is set for want of one is no loss of the client's. */
function outputLimit(prompt: Prompt, model: Traits, thinking: number, losses: Loss[]): number {
  const most = model.outputLimit;
  if (prompt.outputLimit !== undefined) {
    if (most === undefined || prompt.outputLimit <= most) return prompt.outputLimit;
    losses.push({ field: 'max_tokens', how: 'clamped', note: `the model puts out ${most} tokens at most` });
    return most;
  }
  return most === undefined ? defaultOutputLimit + thinking : Math.min(most, generousOutputLimit + thinking);
}
