// A whole Gemini answer as parts.

import type { Part } from '../../exchange/part.ts';
import { answerReader } from './answer-reader.ts';
import { unreadable } from './errors.ts';
import { fieldsOf, listOf } from './wire.ts';

export function decodeAnswer(body: unknown): Part[] {
  const reader = answerReader();
  const parts = reader.read(body);
  const last = reader.end();
  const failed = parts.some((part) => part.type === 'error');
  if (failed || last.some((part) => part.type === 'end')) return [...parts, ...last];
  if (listOf(fieldsOf(body).candidates).length === 0) return [...parts, { type: 'error', failure: unreadable }];
  // A whole answer ends with its body: one whose candidate names no reason still ended.
  const finished = new Set(last.flatMap((part) => (part.type === 'finish' ? [part.choice] : [])));
  const open = new Set(parts.flatMap((part) => ('choice' in part && !finished.has(part.choice) ? [part.choice] : [])));
  if (finished.size === 0) open.add(0);
  return [
    ...parts,
    ...last,
    ...[...open].map((choice): Part => ({ type: 'finish', choice, reason: 'other' })),
    { type: 'end' },
  ];
}
