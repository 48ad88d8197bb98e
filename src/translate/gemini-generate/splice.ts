// The same format upstream: the client's bytes, with only the model it may have named and a clamped limit replaced.

import type { RequestBody, UpEdits } from '../../exchange/codec.ts';
import { type Edit, type Member, member, members, splice as replace, setMember } from '../../exchange/json-span.ts';
import type { Loss } from '../../exchange/prompt.ts';
import { Refusal } from '../../exchange/refusal.ts';
import type { Target } from '../../exchange/target.ts';
import { withoutTagged } from './tagged.ts';
import { field, snake, textOf } from './wire.ts';

const limits = ['maxOutputTokens', 'candidateCount'];

/**
 * The model stands in the path; a copy in the body is kept in step. Gemini counts thoughts inside the output limit; the
 * budget is clamped with it, so that thoughts leave room for an answer.
 */
export function splice(
  { raw, body, members: list }: RequestBody,
  edits: UpEdits,
  _target: Target,
  losses: Loss[] = [],
): Buffer {
  const configured = field(body, 'generationConfig') !== undefined;
  const contents = withoutTagged(raw, body, edits.model, losses);
  if (!configured && !contents && body.model === undefined && edits.outputLimit === undefined) return raw;
  const changes: Edit[] = [];
  if (contents) changes.push(setMember(raw, list, 0, 'contents', JSON.stringify(contents)));
  const model = textOf(body.model);
  if (model !== undefined) {
    const prefix = model.startsWith('models/') ? 'models/' : '';
    changes.push(setMember(raw, list, 0, 'model', JSON.stringify(prefix + edits.model)));
  }
  const config = member(list, 'generationConfig') ?? member(list, 'generation_config');
  const inner = config && configured ? members(raw, config.from) : [];
  refuseTwice(inner);
  if (edits.outputLimit !== undefined) {
    changes.push(limitEdit(raw, list, configured ? config : undefined, inner, edits.outputLimit));
  }
  const thinking = edits.thinkingBudget === undefined ? undefined : budgetEdit(raw, inner, edits.thinkingBudget);
  if (thinking) changes.push(thinking);
  return replace(raw, changes);
}

function limitEdit(
  raw: Buffer,
  list: readonly Member[],
  config: Member | undefined,
  inner: readonly Member[],
  limit: number,
): Edit {
  if (!config) {
    const empty = member(list, 'generationConfig') ?? member(list, 'generation_config');
    return setMember(raw, list, 0, empty?.key ?? 'generationConfig', `{"maxOutputTokens":${limit}}`);
  }
  const name = member(inner, 'max_output_tokens') ? 'max_output_tokens' : 'maxOutputTokens';
  return setMember(raw, inner, config.from, name, String(limit));
}

/** The budget that the client wrote, anew; undefined where it wrote none. */
function budgetEdit(raw: Buffer, inner: readonly Member[], budget: number): Edit | undefined {
  const thinking = member(inner, 'thinkingConfig') ?? member(inner, 'thinking_config');
  const written = thinking ? members(raw, thinking.from) : [];
  const own = member(written, 'thinkingBudget') ?? member(written, 'thinking_budget');
  return thinking && own ? setMember(raw, written, thinking.from, own.key, String(budget)) : undefined;
}

/** A limit written twice, or with escapes, could be read differently by the provider than by us. */
function refuseTwice(inner: readonly Member[]): void {
  for (const name of limits) {
    const found = inner.filter((each) => each.key === name || each.key === snake(name));
    if (found.length > 1 || found.some((each) => each.escaped)) {
      const param = `generationConfig.${name}`;
      throw new Refusal('invalid_request', `${param} must be written once and without escapes`, { param });
    }
  }
}
