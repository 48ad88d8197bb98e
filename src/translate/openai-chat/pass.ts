// The same-format stream: chunks pass as they are; only those that tell usage, an ending or an error are read.

import type { AnswerContext, Glimpse, Lane } from '../../exchange/codec.ts';
import type { Frame } from '../../exchange/frame.ts';
import { type Edit, member, members, setMember, splice } from '../../exchange/json-span.ts';
import type { Usage } from '../../exchange/usage.ts';
import { finite, isObject, type Json, list, object, parse, text } from '../json.ts';
import { encodeStreamError, errorInside, unreadable } from './errors.ts';
import { finishPass, headOf } from './pass-finish.ts';
import { choiceAt, deltaCharacters, emptySpan, nullUsage, valueAt } from './scan.ts';
import { fits, type Shape, shapeOf } from './shape.ts';
import { decodeUsage, priceFields } from './usage.ts';

const silence: Glimpse = { content: false, characters: 0, out: undefined };

export function passStream(context: AnswerContext): Lane {
  /** Before it, each frame is read in full: another attempt may still take its place. */
  let content = false;
  let done = false;
  let usageAfterFinish = false;
  let tier: unknown;
  const open = new Map<number, boolean>();
  let called = false;
  let head: Json = {};
  let shape: Shape | undefined;
  const span = emptySpan();

  const passing = (frame: Frame, characters: number): Glimpse => ({
    content,
    characters,
    out: frame.bytes,
    untouched: true,
  });

  const push = (frame: Frame): Glimpse => {
    const bytes = frame.bytes;
    const raw = frame.latin1;
    if (shape && fits(raw, shape, span)) {
      const { hidden } = shape;
      called ||= span.calls;
      if (span.wordsTo > 0) frame.foundWordsAt(span.wordsFrom, span.wordsTo);
      if (!hidden) return passing(frame, span.characters);
      return {
        content,
        characters: span.characters,
        out: without(bytes, span.end + hidden.from, span.end + hidden.to),
      };
    }
    if (!content || raw.length < 64 || valueAt(raw, '"delta"') < 0 || tells(raw)) return read(frame);
    const cut = context.wantsUsage ? undefined : nullUsage(raw);
    if (!cut && !context.wantsUsage && raw.includes('"usage"')) return read(frame);
    const characters = deltaCharacters(raw);
    const learned = shapeOf(raw, cut !== undefined, span);
    // Several deltas in one chunk: whose they are only a parse can tell.
    if (!learned && valueAt(raw, '"delta"', span.end) >= 0) return read(frame);
    shape = learned ?? shape;
    called ||= span.calls;
    const choice = choiceAt(raw, span.end);
    if (!open.has(choice)) open.set(choice, false);
    return cut ? { content, characters, out: without(bytes, cut.from, cut.to) } : passing(frame, characters);
  };

  const read = (frame: Frame): Glimpse => {
    const data = frame.data;
    if (data === '') return passing(frame, 0);
    if (data.trim() === '[DONE]') {
      done = true;
      return { content, characters: 0, ends: true, out: frame.bytes, untouched: true };
    }
    const chunk = parse(data);
    if (!isObject(chunk))
      return { ...silence, content, failure: unreadable('The provider sent an event that is not JSON.') };
    const failure = errorInside(frame.event === 'error' && !chunk.error ? { error: chunk } : chunk);
    if (failure) {
      // What was used up to the error is still to be paid.
      const usage = isObject(chunk.usage) && { usage: decodeUsage(chunk.usage, tier) };
      return { ...silence, content, failure, ...usage };
    }
    return readChunk(frame, chunk);
  };

  const readChunk = (frame: Frame, chunk: Json): Glimpse => {
    const choices = list(chunk.choices).map(object);
    let finished = false;
    for (const choice of choices) {
      content ||= hasContent(object(choice.delta ?? choice.message)) || text(choice.text) !== undefined;
      const ended = text(choice.finish_reason) !== undefined;
      finished ||= ended;
      called ||= callsIn(object(choice.delta));
      const index = finite(choice.index) ?? 0;
      open.set(index, ended || open.get(index) === true);
    }
    if (head.id === undefined) head = headOf(chunk);
    tier = text(chunk.service_tier) ?? tier;
    const told = chunk.usage ?? object(chunk.x_groq).usage ?? choices.find((choice) => isObject(choice.usage))?.usage;
    const usage = isObject(told) && Object.keys(told).length > 0 ? decodeUsage(told, tier) : undefined;
    if (usage) usageAfterFinish = open.size > 0 && [...open.values()].every((ended) => ended);
    const hides = 'usage' in chunk && !context.wantsUsage;
    const model = text(chunk.model);
    // A finish without a word is an answer too: an empty one.
    content ||= finished;
    const glimpse = {
      content,
      characters: deltaCharacters(frame.latin1),
      ...(usage && { usage }),
      ...(finished && { finished }),
      ...(model !== undefined && { model }),
    };
    if (hides && choices.length === 0 && isObject(chunk.usage)) return { ...glimpse, out: undefined };
    const out = hides ? edited(frame, chunk, undefined) : usage && edited(frame, chunk, usage);
    return out ? { ...glimpse, out } : { ...glimpse, out: frame.bytes, untouched: true };
  };

  const edited = (frame: Frame, chunk: Json, usage: Usage | undefined): Uint8Array | string | undefined => {
    const price = usage && isObject(chunk.usage) ? context.price(usage) : undefined;
    if (usage && !price) return undefined;
    const bytes = frame.bytes;
    const brace = bytes.indexOf('{', Math.max(0, bytes.indexOf('data:')));
    const top = members(bytes, brace);
    const at = member(top, 'usage');
    // Several data lines: the text is not one piece of JSON, so it is written anew.
    if (!at || frame.data.includes('\n')) {
      const { usage: told, ...rest } = chunk;
      const shown = price ? { ...rest, usage: { ...object(told), ...priceFields(price) } } : rest;
      return `data: ${JSON.stringify(shown)}\n\n`;
    }
    if (price) return splice(bytes, priceEdits(bytes, at.from, priceFields(price)));
    return splice(bytes, [removal(bytes, at.at, at.to)]);
  };

  return {
    push,
    end: () => ({ ...silence, content, complete: done || usageAfterFinish }),
    fail: (refusal) => encodeStreamError(refusal, context),
    finish: (usage) => finishPass({ open, called, head, told: usageAfterFinish }, usage, context),
    heartbeat: () => ': keep-alive\n\n',
  };
}

/** The frame without the bytes from `from` to `to`. */
function without(bytes: Buffer, from: number, to: number): Buffer {
  const out = Buffer.allocUnsafe(bytes.length - to + from);
  bytes.copy(out, 0, 0, from);
  bytes.copy(out, from, to);
  return out;
}

/** Whether a frame after the first content says more than content: an ending, a usage or an error. */
function tells(raw: string): boolean {
  const finish = valueAt(raw, '"finish_reason"');
  if (finish >= 0 && raw.charCodeAt(finish) !== 0x6e) return true;
  const usage = valueAt(raw, '"usage"');
  if (usage >= 0 && raw.charCodeAt(usage) !== 0x6e) return true;
  return raw.includes('"error"') || raw.startsWith('event');
}

function hasContent(delta: Json): boolean {
  for (const [key, value] of Object.entries(delta)) {
    if (key === 'role' || value === null || value === '' || key === 'padding' || key === 'channel') continue;
    if (Array.isArray(value) ? value.length > 0 : typeof value === 'string' || isObject(value)) return true;
  }
  return false;
}

function callsIn(delta: Json): boolean {
  return list(delta.tool_calls).length > 0 || isObject(delta.function_call);
}

/** Edits that set our two fields in the usage object whose brace is at `start`. */
export function priceEdits(bytes: Buffer, start: number, fields: { cost: number; saved: number }): Edit[] {
  const inner = members(bytes, start);
  return Object.entries(fields).map(([key, value]) => setMember(bytes, inner, start, key, JSON.stringify(value)));
}

/** The edit that takes a member out, with the comma that goes with it. */
function removal(bytes: Buffer, at: number, to: number): Edit {
  let before = at - 1;
  while ((bytes[before] ?? 0) <= 0x20 && before > 0) before--;
  if (bytes[before] === 0x2c) return { from: before, to, text: '' };
  let after = to;
  while ((bytes[after] ?? 0x7d) <= 0x20) after++;
  return { from: at, to: bytes[after] === 0x2c ? after + 1 : to, text: '' };
}
