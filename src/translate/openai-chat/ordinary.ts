// The chunk that most of a stream is: one choice, one piece of its text or reasoning, and nothing else that is read.

import type { Frame } from '../../exchange/frame.ts';
import type { Part } from '../../exchange/part.ts';
import { isObject, type Json, list, object } from '../json.ts';
import type { Molded } from '../mold.ts';

export interface Words {
  readonly type: 'text-delta' | 'reasoning-delta';
  readonly choice: number;
}

export function piece({ type, choice }: Words, words: string): Part[] {
  return words === '' ? [] : [{ type, choice, text: words }];
}

/** Where the reader looks for more than words; `delta` is looked through whole. What stands beside the choices gives parts. */
const besideDelta = ['message', 'logprobs', 'usage', 'finish_reason'];
const fields = ['content', 'reasoning_content', 'reasoning'];

/** `parts` is what the chunk, read in full, has said. */
export function learn(frame: Frame, chunk: Json, parts: readonly Part[], ordinary: Molded<Words>): void {
  const [part] = parts;
  if (parts.length !== 1 || !part || (part.type !== 'text-delta' && part.type !== 'reasoning-delta')) return;
  const field = fieldOf(chunk);
  if (field === undefined) return;
  const at = (body: unknown): unknown => object(object(list(object(body).choices)[0]).delta)[field];
  ordinary.learn(frame, `"${field}"`, at, { type: part.type, choice: part.choice });
}

/** The one field of the one delta that says anything; undefined where there is more in the chunk. */
function fieldOf(chunk: Json): string | undefined {
  const [choice, another] = list(chunk.choices);
  if (!isObject(choice) || another !== undefined || !isObject(choice.delta)) return undefined;
  if (besideDelta.some((key) => says(choice[key]))) return undefined;
  const saying = Object.entries(choice.delta).filter(([key, value]) => key !== 'role' && says(value));
  const [field] = saying[0] ?? [];
  return saying.length === 1 && field !== undefined && fields.includes(field) ? field : undefined;
}

function says(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0);
}
