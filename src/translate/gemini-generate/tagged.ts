// Proofs of other formats, which we once gave this client to keep: Gemini would refuse the request for any of them.

import type { Loss } from '../../exchange/prompt.ts';
import { foreignReasoning } from '../losses.ts';
import { standIn } from './encode-contents.ts';
import { readSignature } from './signature.ts';
import { type Fields, field, fieldsOf, generation, isFields, listOf, textOf } from './wire.ts';

/** The contents without what carries our tag, or undefined where nothing does; what went is told. */
export function withoutTagged(raw: Buffer, body: Fields, model: string, losses: Loss[]): unknown[] | undefined {
  // How base64 begins for every text that begins with `tg1.`.
  if (!raw.includes('"dGcxL')) return undefined;
  let found = false;
  const contents = listOf(body.contents).flatMap((content, index): unknown[] => {
    const parts = fieldsOf(content).parts;
    if (!isFields(content) || !Array.isArray(parts)) return [content];
    if (!parts.some(isTagged)) return [content];
    const kept = parts.flatMap((part, at) =>
      isTagged(part) ? cleaned(part, model, `contents[${index}].parts[${at}]`, losses) : [part],
    );
    found = true;
    return kept.length > 0 ? [{ ...content, parts: kept }] : [];
  });
  return found ? contents : undefined;
}

function isTagged(part: unknown): part is Fields {
  const value = isFields(part) ? textOf(field(part, 'thoughtSignature')) : undefined;
  return value !== undefined && readSignature(value).signature.origin !== 'gemini-generate';
}

/** Thoughts go with their proof. A call stays, and from generation 3 on it must have a proof, if only the stand-in. */
function cleaned(part: Fields, model: string, path: string, losses: Loss[]): Fields[] {
  const { thoughtSignature: _camel, thought_signature: _snake, ...rest } = part;
  const goes = part.thought === true || part.text === '';
  losses.push(foreignReasoning(goes ? path : `${path}.thoughtSignature`));
  if (goes) return [];
  const called = field(part, 'functionCall') !== undefined;
  return [called && generation(model) >= 3 ? { ...rest, thoughtSignature: standIn } : rest];
}
