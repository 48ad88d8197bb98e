// Events of a Messages stream as parts. Blocks may interleave by index; what only this format understands waits for its end.

import type { StreamDecoder } from '../../exchange/codec.ts';
import type { Frame } from '../../exchange/frame.ts';
import type { Part } from '../../exchange/part.ts';
import { isObject, type Json, list, object, parse, text } from '../json.ts';
import { Molded } from '../mold.ts';
import { decodeEnd, reasoningProof, startOf, toolInput, toolStart } from './decode-answer.ts';
import { decodeCitation, opaque } from './decode-blocks.ts';
import { failureOf, unreadable } from './errors.ts';
import { mergeUsage } from './usage.ts';

/** A block between its start and its stop. */
interface Open {
  readonly kind: 'text' | 'thinking' | 'tool' | 'other';
  /** Number of the tool call, or where the text begins among all text. */
  readonly at: number;
  readonly value: Record<string, unknown>;
  /** Pieces of a proof or of JSON input; joined once, at the end. */
  readonly pieces: string[];
  readonly citations: unknown[];
}

type Words = 'text-delta' | 'reasoning-delta';

interface State {
  readonly open: Map<number, Open>;
  tools: number;
  characters: number;
  usage: Json;
}

export function streamDecoder(): StreamDecoder {
  const state: State = { open: new Map(), tools: 0, characters: 0, usage: {} };
  const ordinary = new Molded<Words>();
  return {
    push(frame) {
      const words = ordinary.tell(frame);
      if (words !== undefined && ordinary.kind) return ordinaryDelta(ordinary.kind, words, state);
      const parts: Part[] = [];
      if (frame.data !== '') {
        // Whatever is read in full may open or close the block that deltas are for.
        ordinary.forget();
        decodeEvent(frame, state, parts);
        learn(frame, parts, ordinary);
      }
      return parts;
    },
    end() {
      const parts: Part[] = [];
      for (const block of state.open.values()) closeBlock(block, state, parts);
      state.open.clear();
      return parts;
    },
  };
}

function ordinaryDelta(type: Words, words: string, state: State): Part[] {
  if (words === '') return [];
  if (type === 'text-delta') state.characters += words.length;
  return [{ type, choice: 0, text: words }];
}

/** Of a text or thinking delta of an open block nothing else is read than its index, its type and its words. */
function learn(frame: Frame, parts: readonly Part[], ordinary: Molded<Words>): void {
  const [part] = parts;
  if (parts.length !== 1 || !part) return;
  if (part.type === 'text-delta') ordinary.learn(frame, '"text"', wordsOf('text_delta', 'text'), part.type);
  else if (part.type === 'reasoning-delta')
    ordinary.learn(frame, '"thinking"', wordsOf('thinking_delta', 'thinking'), part.type);
}

function wordsOf(type: string, field: string): (body: unknown) => unknown {
  return (body) => {
    const event = object(body);
    const delta = object(event.delta);
    return event.type === 'content_block_delta' && delta.type === type ? delta[field] : undefined;
  };
}

function decodeEvent(frame: Frame, state: State, parts: Part[]): void {
  const { data } = frame;
  if (data === '' || data === '[DONE]') return;
  const value = parse(data);
  if (!isObject(value)) {
    parts.push({ type: 'error', failure: unreadable('The provider sent an event that is not a JSON object.') });
    return;
  }
  const index = typeof value.index === 'number' ? value.index : 0;
  switch (value.type) {
    case 'message_start': {
      const message = object(value.message);
      state.usage = mergeUsage({}, message.usage);
      parts.push(startOf(message), ...decodeEnd({}, state.usage));
      return;
    }
    case 'content_block_start':
      openBlock(object(value.content_block), index, state, parts);
      return;
    case 'content_block_delta': {
      const block = state.open.get(index);
      if (block) pushDelta(block, object(value.delta), state, parts);
      return;
    }
    case 'content_block_stop': {
      const block = state.open.get(index);
      state.open.delete(index);
      if (block) closeBlock(block, state, parts);
      return;
    }
    case 'message_delta':
      state.usage = mergeUsage(state.usage, value.usage);
      parts.push(...decodeEnd(object(value.delta), state.usage));
      return;
    case 'message_stop':
      parts.push({ type: 'end' });
      return;
    default:
      if (value.type === 'error' || frame.event === 'error' || isObject(value.error)) {
        if (isObject(value.usage)) parts.push(...decodeEnd({}, mergeUsage(state.usage, value.usage)));
        parts.push({ type: 'error', failure: failureOf(value, 0) });
      }
  }
}

function openBlock(value: Json, index: number, state: State, parts: Part[]): void {
  const fresh = { value: { ...value }, pieces: [], citations: [...list(value.citations)] };
  switch (value.type) {
    case 'text':
      state.open.set(index, { ...fresh, kind: 'text', at: state.characters });
      pushText(text(value.text), state, parts);
      return;
    case 'thinking': {
      const block: Open = { ...fresh, kind: 'thinking', at: 0 };
      state.open.set(index, block);
      const words = text(value.thinking);
      const proof = text(value.signature);
      if (words !== undefined) parts.push({ type: 'reasoning-delta', choice: 0, text: words });
      if (proof !== undefined) block.pieces.push(proof);
      return;
    }
    case 'redacted_thinking':
      parts.push(reasoningProof(text(value.data) ?? '', true));
      return;
    case 'tool_use':
      parts.push(toolStart(value, state.tools));
      state.open.set(index, { ...fresh, kind: 'tool', at: state.tools });
      state.tools++;
      return;
    default:
      state.open.set(index, { ...fresh, kind: 'other', at: 0 });
  }
}

function pushText(words: string | undefined, state: State, parts: Part[]): void {
  if (words === undefined) return;
  parts.push({ type: 'text-delta', choice: 0, text: words });
  state.characters += words.length;
}

function pushDelta(block: Open, delta: Json, state: State, parts: Part[]): void {
  switch (delta.type) {
    case 'text_delta':
      pushText(text(delta.text), state, parts);
      return;
    case 'thinking_delta': {
      const words = text(delta.thinking);
      if (words !== undefined) parts.push({ type: 'reasoning-delta', choice: 0, text: words });
      return;
    }
    case 'signature_delta':
      block.pieces.push(text(delta.signature) ?? '');
      return;
    case 'citations_delta':
      block.citations.push(delta.citation);
      return;
    case 'input_json_delta': {
      const json = text(delta.partial_json);
      if (json === undefined) return;
      // A tool's text is told apart from its absence by one piece; the pieces themselves have left as parts.
      if (block.kind === 'tool') {
        block.pieces[0] = 'sent';
        parts.push(toolInput(block.at, json));
      } else block.pieces.push(json);
      return;
    }
    default:
      // A delta of a kind that came later (compaction): its fields are the block's own.
      for (const [key, value] of Object.entries(delta)) if (key !== 'type') block.value[key] = value;
  }
}

function closeBlock(block: Open, state: State, parts: Part[]): void {
  if (block.kind === 'text') {
    for (const each of block.citations) {
      parts.push({ type: 'citation', choice: 0, citation: decodeCitation(each, block.at, state.characters) });
    }
  } else if (block.kind === 'thinking') {
    const proof = block.pieces.join('');
    if (proof !== '') parts.push(reasoningProof(proof, false));
  } else if (block.kind === 'tool') {
    if (block.pieces.length === 0) parts.push(toolInput(block.at, JSON.stringify(block.value.input ?? {})));
  } else {
    if (block.pieces.length > 0) {
      const json = block.pieces.join('');
      block.value.input = parse(json) ?? json;
    }
    parts.push({ type: 'opaque', choice: 0, block: opaque(block.value) });
  }
}
