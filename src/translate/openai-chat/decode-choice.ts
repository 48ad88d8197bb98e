// One choice of an answer, delta by delta: text, reasoning and its proofs, refusals, tool calls, media, citations, finish.

import type { Part } from '../../exchange/part.ts';
import type { Signature } from '../../exchange/prompt.ts';
import { finite, isObject, type Json, list, object, text } from '../json.ts';
import { decodeFinish } from './finish.ts';
import { decodeAudio, decodeImage } from './media.ts';
import { decodeDetail, googleSignature } from './signatures.ts';

interface Call {
  readonly index: number;
  readonly wireIndex: number | undefined;
  readonly id: string;
}

export interface ChoiceReader {
  read(choice: Json, cited: Set<string>, parts: Part[]): void;
  /** Emits what only the end of the choice makes whole: audio. */
  flush(parts: Part[]): void;
  readonly finished: boolean;
}

/** `whole` says where the answer lies: Perplexity sends `message` and `delta` side by side in both cases. */
export function createChoiceReader(
  choice: number,
  whole: boolean,
  callId: (choice: number, index: number) => string,
): ChoiceReader {
  const calls: Call[] = [];
  const audio = { id: '', data: '', transcript: '' };
  let finished = false;
  let refused = false;

  const readReasoning = (delta: Json, parts: Part[]): void => {
    const details = list(delta.reasoning_details)
      .filter(isObject)
      .map((entry) => decodeDetail(entry, false))
      .filter((detail) => detail !== undefined);
    const plain = text(delta.reasoning_content) ?? text(delta.reasoning);
    // Where both are sent, the plain field repeats what the details say.
    if (plain !== undefined && !details.some((detail) => detail.text !== '')) {
      parts.push({ type: 'reasoning-delta', choice, text: plain });
    }
    for (const detail of details) {
      if (detail.text !== '') parts.push({ type: 'reasoning-delta', choice, text: detail.text });
      if (!detail.signature) continue;
      const redacted = detail.redacted && { redacted: true };
      parts.push({ type: 'reasoning-signature', choice, signature: detail.signature, ...redacted });
    }
  };

  const readContent = (delta: Json, logprobs: unknown, parts: Part[]): void => {
    const probabilities = hasLogprobs(logprobs) ? { logprobs } : undefined;
    let said = '';
    if (typeof delta.content === 'string') said = delta.content;
    for (const part of list(delta.content).filter(isObject)) {
      if (part.type === 'thinking') {
        const thought = typeof part.thinking === 'string' ? part.thinking : joined(part.thinking);
        if (thought !== '') parts.push({ type: 'reasoning-delta', choice, text: thought });
      } else if (typeof part.text === 'string') said += part.text;
      else if (part.type === 'image_url') pushMedia(part, parts);
    }
    if (said !== '' || probabilities) parts.push({ type: 'text-delta', choice, text: said, ...probabilities });
  };

  const pushMedia = (value: Json, parts: Part[]): void => {
    const block = decodeImage(value);
    if (block) parts.push({ type: 'media', choice, block });
  };

  const findCall = (wire: Json, named: boolean): Call | undefined => {
    const id = text(wire.id);
    const wireIndex = finite(wire.index);
    // An index that comes again with another id and a name is a new call: some providers never count up.
    if (id !== undefined) {
      const same = calls.find((call) => call.id === id);
      if (same) return same;
      if (named) return undefined;
    }
    if (wireIndex === undefined) return named ? undefined : calls.at(-1);
    return calls.findLast((call) => call.wireIndex === wireIndex);
  };

  const readCall = (wire: Json, spare: Signature | undefined, parts: Part[]): void => {
    const custom = isObject(wire.custom);
    const body = object(wire.function ?? wire.custom);
    const name = text(body.name);
    let call = findCall(wire, name !== undefined);
    if (!call) {
      const index = calls.length;
      call = { index, wireIndex: finite(wire.index), id: text(wire.id) ?? callId(choice, index) };
      calls.push(call);
      const signature = googleSignature(wire, false) ?? (index === 0 ? spare : undefined);
      parts.push({
        type: 'tool-input-start',
        choice,
        index,
        id: call.id,
        name: name ?? '',
        ...(custom && { custom }),
        ...(signature && { signature }),
      });
    }
    const input = custom ? body.input : body.arguments;
    const words = typeof input === 'string' ? input : isObject(input) ? JSON.stringify(input) : '';
    if (words !== '') parts.push({ type: 'tool-input-delta', choice, index: call.index, text: words });
  };

  const read = (wire: Json, cited: Set<string>, parts: Part[]): void => {
    const delta = object(whole ? (wire.message ?? wire.delta) : (wire.delta ?? wire.message));
    readReasoning(delta, parts);
    readContent(delta, wire.logprobs, parts);
    if (text(delta.refusal) !== undefined) {
      refused = true;
      parts.push({ type: 'refusal-delta', choice, text: String(delta.refusal) });
    }
    const wireCalls = list(delta.tool_calls).filter(isObject);
    const signature = googleSignature(delta, false);
    for (const call of wireCalls) readCall(call, signature, parts);
    if (isObject(delta.function_call)) readCall({ function: delta.function_call }, signature, parts);
    else if (signature && wireCalls.length === 0) parts.push({ type: 'text-signature', choice, signature });
    for (const image of list(delta.images).filter(isObject)) pushMedia(image, parts);
    for (const note of list(delta.annotations).filter(isObject)) readCitation(note, choice, cited, parts);
    if (isObject(delta.audio)) {
      audio.id ||= text(delta.audio.id) ?? '';
      audio.data += text(delta.audio.data) ?? '';
      audio.transcript += text(delta.audio.transcript) ?? '';
    }
    const reason = text(wire.finish_reason);
    if (reason === undefined || finished) return;
    flush(parts);
    finished = true;
    parts.push({ type: 'finish', choice, reason: decodeFinish(reason, calls.length > 0, refused), raw: reason });
  };

  const flush = (parts: Part[]): void => {
    if (audio.data === '' && audio.transcript === '') return;
    const transcript = audio.transcript && { transcript: audio.transcript };
    parts.push({ type: 'media', choice, block: decodeAudio(audio.id, audio.data), ...transcript });
    audio.data = '';
    audio.transcript = '';
  };

  return {
    read,
    flush,
    get finished() {
      return finished;
    },
  };
}

function hasLogprobs(value: unknown): boolean {
  const probabilities = object(value);
  return list(probabilities.content).length > 0 || list(probabilities.refusal).length > 0;
}

function joined(value: unknown): string {
  return list(value)
    .map((piece) => text(object(piece).text) ?? '')
    .join('');
}

function readCitation(note: Json, choice: number, cited: Set<string>, parts: Part[]): void {
  const body = object(note.url_citation ?? note.file_citation ?? note.file);
  const url = text(body.url);
  if (url !== undefined) cited.add(url);
  const title = text(body.title) ?? text(body.filename) ?? text(body.name);
  const quote = text(body.quote);
  const start = finite(body.start_index);
  const end = finite(body.end_index);
  parts.push({
    type: 'citation',
    choice,
    citation: {
      origin: 'openai-chat',
      ...(url !== undefined && { url }),
      ...(title !== undefined && { title }),
      ...(quote !== undefined && { quote }),
      ...(start !== undefined && { start }),
      ...(end !== undefined && { end }),
      raw: note,
    },
  });
}
