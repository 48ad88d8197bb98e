// Neutral answer parts as parts of a Gemini candidate, for whole answers and for chunks.

import type { AnswerContext } from '../../exchange/codec.ts';
import type { Part } from '../../exchange/part.ts';
import type { Losses } from '../losses.ts';
import { encodeMedia } from './encode-media.ts';
import { writeSignature } from './signature.ts';
import { type Fields, isFields, parsed } from './wire.ts';

export type ContentPart = Extract<Part, { readonly choice: number }>;

/** Calls leave whole: a Gemini client expects an object, so their pieces wait here. One for each choice. */
export interface PartEncoder {
  /** Gemini parts that are ready, in order; often one, often none. */
  push(part: ContentPart): Fields[];
  /** What waited. */
  flush(): Fields[];
}

interface OpenCall {
  readonly id: string;
  readonly name: string;
  readonly custom: boolean;
  readonly signature?: string;
  input: string;
}

export function partEncoder(context: Pick<AnswerContext, 'id'>, losses: Losses): PartEncoder {
  const open = new Map<number, OpenCall>();
  const flush = (): Fields[] => {
    const calls = [...open.values()].map(encodeCall);
    open.clear();
    return calls;
  };
  return {
    flush,
    push(part) {
      if (part.type === 'tool-input-start') {
        open.set(part.index, {
          id: part.id === '' ? context.id('call') : part.id,
          name: part.name,
          custom: part.custom === true,
          ...(part.signature ? { signature: writeSignature(part.signature) } : {}),
          input: '',
        });
        return [];
      }
      if (part.type === 'tool-input-delta') {
        const call = open.get(part.index);
        if (call) call.input += part.text;
        return [];
      }
      const parts = encodePart(part, losses);
      return parts.length > 0 && open.size > 0 ? [...flush(), ...parts] : parts;
    },
  };
}

function encodeCall(call: OpenCall): Fields {
  const value = call.custom ? undefined : parsed(call.input === '' ? '{}' : call.input);
  return {
    functionCall: { id: call.id, name: call.name, args: isFields(value) ? value : { input: call.input } },
    ...(call.signature === undefined ? {} : { thoughtSignature: call.signature }),
  };
}

function encodePart(part: ContentPart, losses: Losses): Fields[] {
  switch (part.type) {
    case 'text-delta':
    case 'refusal-delta':
      return part.text === '' ? [] : [{ text: part.text }];
    case 'text-signature':
      return [{ text: '', thoughtSignature: writeSignature(part.signature) }];
    case 'reasoning-delta':
      return part.text === '' ? [] : [{ text: part.text, thought: true }];
    case 'reasoning-signature':
      return [{ text: '', thought: true, thoughtSignature: writeSignature(part.signature, part.redacted) }];
    case 'media': {
      const media = encodeMedia(part.block, 'message', '', losses);
      const signature = part.block.signature ? { thoughtSignature: writeSignature(part.block.signature) } : {};
      return [...(media ? [{ ...media, ...signature }] : []), ...(part.transcript ? [{ text: part.transcript }] : [])];
    }
    case 'opaque':
      if (part.block.origin === 'gemini-generate' && isFields(part.block.value)) return [part.block.value];
      losses.push({ field: part.block.kind, how: 'dropped', note: `only ${part.block.origin} can say this` });
      return [];
    default:
      return [];
  }
}
