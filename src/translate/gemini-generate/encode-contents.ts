// Turns as Gemini's systemInstruction and contents.

import type { Block, Loss, MediaBlock, Prompt, ToolCallBlock, ToolResultBlock, Turn } from '../../exchange/prompt.ts';
import { encodeMedia } from './encode-media.ts';
import { ownSignature } from './signature.ts';
import { type Fields, generation, isFields, parsed } from './wire.ts';

/** Google's documented stand-in for the proof of a call that no Gemini model made; generation 3 refuses calls without one. */
export const standIn = 'skip_thought_signature_validator';

interface Work {
  readonly model: string;
  readonly losses: Loss[];
  /** Names of tools by the id of their call. */
  readonly names: Map<string, string>;
}

export interface Contents {
  readonly systemInstruction?: { readonly parts: readonly Fields[] };
  readonly contents: readonly { readonly role: string; readonly parts: readonly Fields[] }[];
}

export function encodeContents(prompt: Prompt, model: string, losses: Loss[]): Contents {
  const work: Work = { model, losses, names: new Map() };
  const { turns } = prompt;
  let leading = turns.findIndex((turn) => turn.role !== 'system' && turn.role !== 'developer');
  if (leading < 0) leading = turns.length;
  // Gemini wants at least one content: a prompt of system texts alone is asked as a user's.
  const alone = leading === turns.length && turns.length > 0;
  if (alone) leading--;
  const system = turns.slice(0, leading).flatMap((turn, index) => encodeSystem(turn, `messages[${index}]`, work));
  const contents = turns.slice(leading).flatMap((turn, index) => {
    const parts = encodeTurn(turn, `messages[${leading + index}]`, work);
    return parts.length > 0 ? [{ role: turn.role === 'assistant' ? 'model' : 'user', parts }] : [];
  });
  return { ...(system.length > 0 ? { systemInstruction: { parts: system } } : {}), contents };
}

function encodeSystem(turn: Turn, path: string, work: Work): Fields[] {
  return turn.content.flatMap((block, index): Fields[] => {
    const place = `${path}.content[${index}]`;
    if (block.type !== 'text') {
      work.losses.push({ field: place, how: 'dropped', note: 'a system instruction is text' });
      return [];
    }
    return encodeBlock(block, place, work);
  });
}

function encodeTurn(turn: Turn, path: string, work: Work): Fields[] {
  if (turn.role === 'system' || turn.role === 'developer') {
    work.losses.push({ field: `${path}.role`, how: 'changed', note: `${turn.role} became user` });
  }
  if (turn.name !== undefined) work.losses.push({ field: `${path}.name`, how: 'dropped' });
  const parts = turn.content.flatMap((block, index) => encodeBlock(block, `${path}.content[${index}]`, work));
  if (turn.role === 'assistant' && generation(work.model) >= 3) {
    const first = parts.findIndex((part) => part.functionCall !== undefined);
    const call = parts[first];
    if (call && call.thoughtSignature === undefined) parts[first] = { ...call, thoughtSignature: standIn };
  }
  return parts;
}

function encodeBlock(block: Block, path: string, work: Work): Fields[] {
  if ('cache' in block && block.cache) {
    work.losses.push({ field: `${path}.cache_control`, how: 'dropped', note: 'Gemini caches prompts by itself' });
  }
  switch (block.type) {
    case 'text':
      if (block.citations && block.citations.length > 0)
        work.losses.push({ field: `${path}.citations`, how: 'dropped' });
      // Vertex refuses a part without text, unless it carries a proof.
      return block.text === '' && !ownSignature(block.signature)
        ? []
        : [{ text: block.text, ...signed(block, path, work) }];
    case 'reasoning': {
      if (block.redacted || (block.signature && block.signature.origin !== 'gemini-generate')) {
        work.losses.push({ field: path, how: 'dropped', note: 'reasoning that another provider signed' });
        return [];
      }
      return [{ text: block.text, thought: true, ...signed(block, path, work) }];
    }
    case 'tool-call':
      return [encodeCall(block, path, work)];
    case 'tool-result':
      return encodeResult(block, path, work);
    case 'refusal':
      work.losses.push({ field: path, how: 'changed', note: 'a refusal became text' });
      return block.text === '' ? [] : [{ text: block.text }];
    case 'opaque':
      if (block.origin === 'gemini-generate' && isFields(block.value)) return [block.value];
      work.losses.push({ field: path, how: 'dropped', note: block.kind });
      return [];
    default: {
      const part = encodeMedia(block, path, work.model, work.losses);
      return part ? [{ ...part, ...signed(block, path, work) }] : [];
    }
  }
}

function signed(
  block: Exclude<Block, { type: 'tool-result' | 'refusal' | 'opaque' }>,
  path: string,
  work: Work,
): Fields {
  const value = ownSignature(block.signature);
  if (value !== undefined) return { thoughtSignature: value };
  if (block.signature)
    work.losses.push({ field: `${path}.signature`, how: 'dropped', note: 'signed by another provider' });
  return {};
}

function encodeCall(block: ToolCallBlock, path: string, work: Work): Fields {
  work.names.set(block.id, block.name);
  return {
    functionCall: { id: block.id, name: block.name, args: callArguments(block, path, work.losses) },
    ...signed(block, path, work),
  };
}

function callArguments(block: ToolCallBlock, path: string, losses: Loss[]): Fields {
  const value = block.custom ? undefined : parsed(block.input || '{}');
  if (isFields(value)) return value;
  losses.push({ field: `${path}.arguments`, how: 'changed', note: 'arguments that are no object stand under "input"' });
  return { input: block.input };
}

function encodeResult(block: ToolResultBlock, path: string, work: Work): Fields[] {
  const name = block.name ?? work.names.get(block.id) ?? 'unknown';
  const texts: string[] = [];
  const media: Fields[] = [];
  block.content.forEach((each, index) => {
    const place = `${path}.content[${index}]`;
    if (each.type === 'text') texts.push(each.text);
    else if (each.type === 'opaque') work.losses.push({ field: place, how: 'dropped', note: each.kind });
    else media.push(...mediaParts(each, place, work));
  });
  // Before generation 3 a result is text alone: its pictures stand beside it.
  const inside = generation(work.model) >= 3;
  if (media.length > 0 && !inside)
    work.losses.push({ field: path, how: 'changed', note: 'media moved beside the tool result' });
  const response = responseOf(texts.join('\n'), texts.length > 0, block.failed === true);
  const parts = media.length > 0 && inside ? { parts: media } : {};
  return [{ functionResponse: { id: block.id, name, response, ...parts } }, ...(inside ? [] : media)];
}

function mediaParts(block: MediaBlock, path: string, work: Work): Fields[] {
  const part = encodeMedia(block, path, work.model, work.losses);
  return part ? [part] : [];
}

function responseOf(text: string, present: boolean, failed: boolean): Fields {
  const value = present ? parsed(text) : {};
  if (isFields(value) && (!failed || value.error !== undefined)) return value;
  return failed ? { error: text } : { output: text };
}
