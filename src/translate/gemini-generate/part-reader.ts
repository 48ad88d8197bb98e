// One part of a Gemini candidate as neutral parts of an answer.

import type { Part } from '../../exchange/part.ts';
import { type PartialArguments, partialArguments } from './arguments.ts';
import { argumentsOf } from './decode-contents.ts';
import { decodeMedia } from './decode-media.ts';
import { readSignature } from './signature.ts';
import { camel, type Fields, field, isFields, textOf } from './wire.ts';

/** What is known of a candidate so far. */
export interface Choice {
  text: string;
  calls: number;
  /** A call whose arguments are still coming. */
  open?: { readonly index: number; readonly pieces: PartialArguments };
  finish?: string;
  readonly cited: Set<string>;
}

/** `seed` makes the ids of calls that come without one unique among the answers of a conversation. */
export function readPart(part: Fields, index: number, choice: Choice, seed: string, parts: Part[]): void {
  const call = field(part, 'functionCall');
  const value = textOf(field(part, 'thoughtSignature'));
  const read = value ? readSignature(value) : undefined;
  const text = textOf(part.text);
  if (isFields(call)) {
    readCall(call, part, index, choice, seed, parts);
    return;
  }
  const media = decodeMedia(part, '', []);
  if (text !== undefined && part.thought === true) {
    if (text !== '') parts.push({ type: 'reasoning-delta', choice: index, text });
    if (read)
      parts.push({
        type: 'reasoning-signature',
        choice: index,
        signature: read.signature,
        ...(read.redacted ? { redacted: true } : {}),
      });
    return;
  }
  if (text !== undefined) {
    choice.text += text;
    if (text !== '') parts.push({ type: 'text-delta', choice: index, text });
  } else if (media) {
    parts.push({ type: 'media', choice: index, block: read ? { ...media, signature: read.signature } : media });
    return;
  } else {
    const kind = Object.keys(part).find(
      (key) => !['thought', 'thoughtSignature'].includes(camel(key)) && part[key] !== null,
    );
    if (kind !== undefined) {
      parts.push({
        type: 'opaque',
        choice: index,
        block: { type: 'opaque', origin: 'gemini-generate', kind: camel(kind), value: part },
      });
      return;
    }
  }
  if (read) parts.push({ type: 'text-signature', choice: index, signature: read.signature });
}

function readCall(call: Fields, part: Fields, index: number, choice: Choice, seed: string, parts: Part[]): void {
  const name = textOf(call.name);
  const continues = field(call, 'willContinue') === true;
  if (choice.open && !name) {
    choice.open.pieces.add(field(call, 'partialArgs'));
    if (!continues) closeCall(choice, index, parts);
    return;
  }
  closeCall(choice, index, parts);
  const number = choice.calls++;
  const signature = textOf(field(part, 'thoughtSignature'));
  const id = textOf(call.id) || `call_${seed.slice(0, 28)}_${index > 0 ? `${index}_` : ''}${number}`;
  parts.push({
    type: 'tool-input-start',
    choice: index,
    index: number,
    id,
    name: name ?? '',
    ...(signature ? { signature: readSignature(signature).signature } : {}),
  });
  if (!continues) {
    parts.push({ type: 'tool-input-delta', choice: index, index: number, text: argumentsOf(call) });
    return;
  }
  const pieces = partialArguments();
  pieces.add(field(call, 'partialArgs'));
  choice.open = { index: number, pieces };
}

/** Pieces come in the order of their paths, not of the JSON they make: the arguments leave whole. */
export function closeCall(choice: Choice, index: number, parts: Part[]): void {
  if (!choice.open) return;
  parts.push({ type: 'tool-input-delta', choice: index, index: choice.open.index, text: choice.open.pieces.json() });
  delete choice.open;
}
