// What the tests of the Messages codec share: a target, a context, a splitter of streams, and the fold of parts that must survive.

import type { AnswerContext, Price } from '../src/exchange/codec.ts';
import { Frame } from '../src/exchange/frame.ts';
import type { Part } from '../src/exchange/part.ts';
import type { Target } from '../src/exchange/target.ts';
import type { Usage } from '../src/exchange/usage.ts';
import { parse } from '../src/translate/json.ts';
import { answerContext } from './answer-context.ts';

export function targetOf(model: string): Target {
  const timeouts = { connect: 1, firstByte: 1, idle: 1, total: 1 };
  return {
    provider: {
      name: 'anthropic',
      format: 'anthropic-messages',
      baseUrl: 'https://api.anthropic.com/v1',
      auth: 'x-api-key',
      keys: [],
      headers: {},
      catalogue: 'anthropic',
      billing: { mode: 'strict', abortStops: true, lowWater: 64 },
      tier: 'verified',
      quirks: [],
      owns: [],
      trust: 'config',
      timeouts,
      settings: {},
    },
    model,
    timeouts,
  };
}

export function contextOf(price?: (usage: Usage) => Price): AnswerContext {
  return answerContext({
    requestId: 'tg_1',
    model: 'claude-sonnet-4-5',
    created: 1_700_000_000,
    ...(price ? { price } : {}),
  });
}

/** Whole events of a recorded stream, each with its blank line. */
export function framesOf(sse: string): Frame[] {
  return sse
    .split(/(?<=\r?\n\r?\n)/)
    .filter((piece) => piece.trim() !== '')
    .map((piece) => new Frame(Buffer.from(piece)));
}

type Folded = { kind: string; [field: string]: unknown };

/** Parts with neighbouring deltas joined, tool input parsed, and what only one carrier of the answer has left out. */
export function fold(parts: readonly Part[]): Folded[] {
  const folded: Folded[] = [];
  const tools = new Map<number, Folded>();
  const append = (kind: string, text: string): void => {
    const last = folded.at(-1);
    if (last?.kind === kind && !('signature' in last)) last.text = `${last.text}${text}`;
    else folded.push({ kind, text });
  };
  let usage: Folded | undefined;
  for (const part of parts) {
    if (part.type === 'text-delta') append('text', part.text);
    else if (part.type === 'reasoning-delta') append('reasoning', part.text);
    else if (part.type === 'refusal-delta') append('refusal', part.text);
    else if (part.type === 'reasoning-signature') {
      const last = folded.at(-1);
      if (!part.redacted && last?.kind === 'reasoning' && !('signature' in last)) last.signature = part.signature;
      else folded.push({ kind: 'reasoning', text: '', redacted: part.redacted === true, signature: part.signature });
    } else if (part.type === 'tool-input-start') {
      const tool: Folded = { kind: 'tool', id: part.id, name: part.name, input: '', signature: part.signature };
      tools.set(part.index, tool);
      folded.push(tool);
    } else if (part.type === 'tool-input-delta') {
      const tool = tools.get(part.index);
      if (tool) tool.input = `${tool.input}${part.text}`;
    } else if (part.type === 'citation') folded.push({ kind: 'citation', citation: part.citation });
    else if (part.type === 'opaque') folded.push({ kind: 'opaque', block: part.block });
    else if (part.type === 'finish') {
      folded.push({ kind: 'finish', reason: part.reason, raw: part.raw, stop: part.stopSequence });
    } else if (part.type === 'usage') usage = { kind: 'usage', usage: part.usage };
    else if (part.type === 'error') folded.push({ kind: 'error', failure: part.failure });
    else if (part.type === 'end') folded.push({ kind: 'end' });
  }
  for (const tool of tools.values()) tool.input = parse(String(tool.input)) ?? tool.input;
  if (usage) folded.push(usage);
  return folded;
}
