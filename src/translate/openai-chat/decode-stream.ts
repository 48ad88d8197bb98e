// A provider's chunks as parts. Whole answers go the same way: one chunk whose `message` is the delta.

import { createHash } from 'node:crypto';
import type { StreamDecoder } from '../../exchange/codec.ts';
import type { Frame } from '../../exchange/frame.ts';
import type { Part } from '../../exchange/part.ts';
import { finite, isObject, type Json, list, object, parse, text } from '../json.ts';
import { Molded } from '../mold.ts';
import { type ChoiceReader, createChoiceReader } from './decode-choice.ts';
import { errorInside, unreadable } from './errors.ts';
import { learn, piece, type Words } from './ordinary.ts';
import { decodeUsage } from './usage.ts';

export interface ChunkReader {
  read(chunk: Json, parts: Part[]): void;
  /** Everything held back; true where the answer was whole even without a terminator. */
  finish(parts: Part[]): boolean;
}

export function createChunkReader(whole: boolean): ChunkReader {
  const choices = new Map<number, ChoiceReader>();
  let started = false;
  let answerId = '';
  let tier: unknown;
  let usageAfterFinish = false;
  const cited = new Set<string>();

  const callId = (choice: number, index: number): string =>
    `call_${createHash('sha256').update(`${answerId}/${choice}/${index}`).digest('hex').slice(0, 24)}`;
  const allFinished = (): boolean => choices.size > 0 && [...choices.values()].every((choice) => choice.finished);

  const start = (chunk: Json, parts: Part[]): void => {
    started = true;
    answerId = text(chunk.id) ?? '';
    const created = Number(chunk.created);
    const model = text(chunk.model);
    parts.push({
      type: 'start',
      ...(answerId && { id: answerId }),
      ...(model !== undefined && { model }),
      ...(created > 0 && { created: Math.floor(created) }),
    });
  };

  /** Perplexity and xAI list their sources beside the choices, in every chunk again. */
  const readSources = (chunk: Json, parts: Part[]): void => {
    const results = list(chunk.search_results).map(object);
    const urls = list(chunk.citations).filter((url) => typeof url === 'string');
    const named = results.length > 0 ? results : urls.map((url): Json => ({ url }));
    for (const source of named) {
      const url = text(source.url);
      if (url === undefined || cited.has(url)) continue;
      cited.add(url);
      const title = text(source.title);
      const citation = { origin: 'openai-chat' as const, url, ...(title !== undefined && { title }), raw: source };
      parts.push({ type: 'citation', choice: 0, citation });
    }
  };

  const read = (chunk: Json, parts: Part[]): void => {
    const failure = errorInside(chunk);
    if (failure) {
      // What was used up to the error is still to be paid.
      if (isObject(chunk.usage)) parts.push({ type: 'usage', usage: decodeUsage(chunk.usage, tier) });
      parts.push({ type: 'error', failure });
      return;
    }
    if (!started && (text(chunk.id) ?? text(chunk.model) ?? list(chunk.choices)[0]) !== undefined) start(chunk, parts);
    tier = text(chunk.service_tier) ?? tier;
    let usage: unknown = chunk.usage ?? object(chunk.x_groq).usage;
    for (const [position, value] of list(chunk.choices).entries()) {
      const wire = object(value);
      const index = finite(wire.index) ?? position;
      let choice = choices.get(index);
      if (!choice) {
        choice = createChoiceReader(index, whole, callId);
        choices.set(index, choice);
      }
      choice.read(wire, cited, parts);
      usage ??= wire.usage;
    }
    readSources(chunk, parts);
    if (isObject(usage) && Object.keys(usage).length > 0) {
      parts.push({ type: 'usage', usage: decodeUsage(usage, tier) });
      usageAfterFinish = allFinished();
    }
  };

  const finish = (parts: Part[]): boolean => {
    for (const choice of choices.values()) choice.flush(parts);
    return allFinished() && usageAfterFinish;
  };
  return { read, finish };
}

export function streamDecoder(): StreamDecoder {
  const reader = createChunkReader(false);
  const ordinary = new Molded<Words>();
  let over = false;
  return {
    push(frame: Frame): Part[] {
      if (over) return [];
      const words = ordinary.tell(frame);
      if (words !== undefined && ordinary.kind) return piece(ordinary.kind, words);
      const data = frame.data;
      const parts: Part[] = [];
      if (data === '') return parts;
      ordinary.forget();
      if (data.trim() === '[DONE]') {
        over = true;
        reader.finish(parts);
        parts.push({ type: 'end' });
        return parts;
      }
      const chunk = parse(data);
      if (isObject(chunk)) {
        reader.read(frame.event === 'error' ? asError(chunk) : chunk, parts);
        learn(frame, chunk, parts, ordinary);
      } else parts.push({ type: 'error', failure: unreadable('The provider sent an event that is not JSON.') });
      over = parts.at(-1)?.type === 'error';
      return parts;
    },
    end(): Part[] {
      const parts: Part[] = [];
      // Cerebras, Writer and Perplexity send no [DONE]: a finish and then the usage is all the end they have.
      if (!over && reader.finish(parts)) parts.push({ type: 'end' });
      return parts;
    },
  };
}

function asError(chunk: Json): Json {
  return chunk.error === undefined || chunk.error === null ? { error: chunk } : chunk;
}
