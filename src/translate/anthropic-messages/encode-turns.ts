// Neutral turns as this format wants them: one system text ahead, user and assistant in turn, tool results first.

import type { Loss, Turn } from '../../exchange/prompt.ts';
import { type Json, list } from '../json.ts';
import { type BlockContext, encodeBlock } from './encode-blocks.ts';

interface Message {
  readonly role: 'user' | 'assistant';
  readonly content: Json[];
}

export interface EncodedTurns {
  readonly system: string | Json[] | undefined;
  readonly messages: Message[];
}

export function encodeTurns(turns: readonly Turn[], losses: Loss[]): EncodedTurns {
  const ids = toolIds();
  const system: Json[] = [];
  const messages: Message[] = [];
  turns.forEach((turn, index) => {
    const field = `messages[${index}]`;
    const role = turn.role === 'developer' ? 'system' : turn.role;
    const context: BlockContext = { role, losses, ...ids };
    const content: Json[] = [];
    turn.content.forEach((block, at) => {
      const encoded = encodeBlock(block, `${field}.content[${at}]`, context);
      if (encoded) content.push(encoded);
    });
    if (turn.name !== undefined) losses.push({ field: `${field}.name`, how: 'dropped' });
    if (content.length === 0) return;
    if (role === 'system') {
      if (messages.length > 0) losses.push({ field, how: 'changed', note: 'moved ahead, into the system text' });
      system.push(...content);
      return;
    }
    const last = messages.at(-1);
    if (last?.role === role) last.content.push(...content);
    else messages.push({ role, content });
  });
  for (const message of messages) if (message.role === 'user') resultsFirst(message.content);
  beginWithUser(messages, system, losses);
  trimEnd(messages, `messages[${turns.length - 1}]`, losses);
  const [only] = system;
  const plain = system.length === 1 && only && Object.keys(only).length === 2 && typeof only.text === 'string';
  return { system: plain ? String(only.text) : system.length > 0 ? system : undefined, messages };
}

/** The provider wants each call answered at once: results stand before whatever else the user says. */
function resultsFirst(content: Json[]): void {
  if (!content.some((block) => block.type === 'tool_result')) return;
  content.sort((a, b) => Number(b.type === 'tool_result') - Number(a.type === 'tool_result'));
}

/** A conversation must begin with the user. One that has only instructions asks with the instructions themselves. */
function beginWithUser(messages: Message[], system: Json[], losses: Loss[]): void {
  if (messages.length === 0) {
    const last = system.pop();
    if (!last) return;
    messages.push({ role: 'user', content: [last] });
    losses.push({
      field: 'messages',
      how: 'changed',
      note: 'the last system text became the user turn that must be there',
    });
  } else if (messages[0]?.role === 'assistant') {
    messages.unshift({ role: 'user', content: [{ type: 'text', text: '(The conversation begins.)' }] });
    losses.push({ field: 'messages', how: 'changed', note: 'a user turn was put before the assistant turn' });
  }
}

/** The provider refuses a prefill that ends in blanks. */
function trimEnd(messages: Message[], field: string, losses: Loss[]): void {
  const last = messages.at(-1);
  const block = last?.content.at(-1);
  if (last?.role !== 'assistant' || block?.type !== 'text') return;
  const text = String(block.text);
  if (text === text.trimEnd()) return;
  last.content[last.content.length - 1] = { ...block, text: text.trimEnd() };
  losses.push({ field, how: 'changed', note: 'blanks at its end removed' });
}

/**
 * Ids may hold letters, digits, `_` and `-`, and no two calls may share one. Other providers number from 0 in every
 * turn: a repeated id gets a suffix, and a result belongs to the latest call of its id.
 */
function toolIds(): Pick<BlockContext, 'callId' | 'resultId'> {
  const taken = new Set<string>();
  const latest = new Map<string, string>();
  const plain = (id: string): string => id.replace(/[^a-zA-Z0-9_-]/g, '_') || 'call';
  return {
    callId(id) {
      const base = plain(id);
      let unique = base;
      for (let copy = 2; taken.has(unique); copy++) unique = `${base}_${copy}`;
      taken.add(unique);
      latest.set(id, unique);
      return unique;
    },
    resultId: (id) => latest.get(id) ?? plain(id),
  };
}

/** Whether the turn in progress is a tool loop whose assistant turn does not begin with thinking. */
export function loopsWithoutThinking(messages: readonly Message[]): boolean {
  const assistant = messages.findLast((message) => message.role === 'assistant');
  const answer = messages.at(-1);
  if (!assistant || !answer || !list(answer.content).some((block) => (block as Json).type === 'tool_result'))
    return false;
  const first = assistant.content[0]?.type;
  return first !== 'thinking' && first !== 'redacted_thinking';
}
