// Folds parts into what a reader of the answer would keep, so that two ways of cutting the same answer compare equal.

import { createHash } from 'node:crypto';
import type { Part } from '../src/exchange/part.ts';
import type { Usage } from '../src/exchange/usage.ts';

export interface FoldedChoice {
  text: string;
  reasoning: string;
  refusal: string;
  readonly calls: { id: string; name: string; input: string }[];
  readonly signatures: string[];
  readonly citations: string[];
  readonly media: string[];
  finish?: string;
}

export interface Folded {
  readonly choices: Record<number, FoldedChoice>;
  usage?: Usage;
  model?: string;
  error?: string;
  ended: boolean;
}

export function fold(parts: readonly Part[]): Folded {
  const folded: Folded = { choices: {}, ended: false };
  for (const part of parts) {
    if (part.type === 'start') {
      if (part.model !== undefined) folded.model = part.model;
    } else if (part.type === 'usage') folded.usage = part.usage;
    else if (part.type === 'error') folded.error = part.failure.message;
    else if (part.type === 'end') folded.ended = true;
    else {
      folded.choices[part.choice] ??= {
        text: '',
        reasoning: '',
        refusal: '',
        calls: [],
        signatures: [],
        citations: [],
        media: [],
      };
      const choice = folded.choices[part.choice];
      if (choice) add(choice, part);
    }
  }
  return folded;
}

function add(choice: FoldedChoice, part: Extract<Part, { choice: number }>): void {
  switch (part.type) {
    case 'text-delta':
      choice.text += part.text;
      break;
    case 'reasoning-delta':
      choice.reasoning += part.text;
      break;
    case 'refusal-delta':
      choice.refusal += part.text;
      break;
    case 'reasoning-signature':
    case 'text-signature':
      choice.signatures.push(`${part.signature.origin} ${part.signature.value}`);
      break;
    case 'tool-input-start':
      choice.calls[part.index] = { id: part.id, name: part.name, input: '' };
      if (part.signature) choice.signatures.push(`${part.signature.origin} ${part.signature.value}`);
      break;
    case 'tool-input-delta': {
      const call = choice.calls[part.index];
      if (call) call.input += part.text;
      break;
    }
    case 'citation':
      choice.citations.push(part.citation.url ?? part.citation.title ?? part.citation.quote ?? '');
      break;
    case 'media':
      choice.media.push(
        `${part.block.type} ${createHash('sha256').update(JSON.stringify(part.block.source)).digest('hex')}`,
      );
      break;
    case 'finish':
      choice.finish = part.reason;
      break;
    case 'opaque':
      break;
  }
}
