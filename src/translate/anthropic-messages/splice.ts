// Same format upstream: the client's bytes with only the fields the gateway owns replaced.

import type { RequestBody, UpEdits } from '../../exchange/codec.ts';
import { splice as applyEdits, type Edit, setMember } from '../../exchange/json-span.ts';
import type { Loss } from '../../exchange/prompt.ts';
import type { Target } from '../../exchange/target.ts';
import { finite, isObject, type Json, list, object } from '../json.ts';
import { foreignReasoning } from '../losses.ts';
import { leastBudget } from './encode-reasoning.ts';
import { isTagged } from './signature.ts';

export function splice(
  { raw, body, members }: RequestBody,
  edits: UpEdits,
  _target: Target,
  losses: Loss[] = [],
): Buffer {
  const changes: Edit[] = [];
  const set = (key: string, value: unknown): void => {
    const edit = setMember(raw, members, 0, key, JSON.stringify(value));
    // Two new members would be inserted at one place: they become one edit.
    const before = changes.findIndex((each) => each.from === edit.from && each.to === edit.to);
    if (before < 0) changes.push(edit);
    else changes[before] = { ...edit, text: (changes[before]?.text ?? '') + edit.text };
  };
  set('model', edits.model);
  if (edits.outputLimit !== undefined) {
    set('max_tokens', edits.outputLimit);
    const thinking = object(body.thinking);
    const budget = finite(thinking.budget_tokens);
    if (budget !== undefined && edits.thinkingBudget !== undefined) {
      set('thinking', { ...thinking, budget_tokens: edits.thinkingBudget });
    } else if (budget !== undefined && budget >= edits.outputLimit) {
      const fits = edits.outputLimit > leastBudget;
      set('thinking', fits ? { ...thinking, budget_tokens: edits.outputLimit - 1 } : { type: 'disabled' });
    }
  }
  // Proofs of other formats, which we once gave this client to keep: the provider would refuse the whole request.
  if (raw.includes('"tg1.')) {
    const messages = withoutTagged(body.messages, losses);
    if (messages) set('messages', messages);
  }
  return applyEdits(raw, changes);
}

/** The messages without thinking blocks that carry our tag, or undefined where there is none. */
function withoutTagged(messages: unknown, losses: Loss[]): unknown[] | undefined {
  let found = false;
  const kept: unknown[] = [];
  for (const [index, message] of list(messages).entries()) {
    const content = object(message).content;
    if (!isObject(message) || !Array.isArray(content)) {
      kept.push(message);
      continue;
    }
    const blocks = content.filter((block, at) => {
      const tagged = isTaggedThinking(object(block));
      if (tagged) losses.push(foreignReasoning(`messages[${index}].content[${at}]`));
      return !tagged;
    });
    if (blocks.length < content.length) found = true;
    if (blocks.length > 0) kept.push(blocks.length < content.length ? { ...message, content: blocks } : message);
  }
  return found ? kept : undefined;
}

function isTaggedThinking(block: Json): boolean {
  return (
    (block.type === 'thinking' && isTagged(block.signature)) ||
    (block.type === 'redacted_thinking' && isTagged(block.data))
  );
}
