// The messages of a request as turns; `tool` messages are folded into one user turn of results.

import type { Block, CacheMark, Loss, MediaBlock, OpaqueBlock, TextBlock, Turn } from '../../exchange/prompt.ts';
import { isObject, type Json, list, object, text } from '../json.ts';
import { decodeMedia } from './media.ts';
import { wrong } from './outline.ts';
import { decodeDetails, googleSignature } from './signatures.ts';

type Content = TextBlock | MediaBlock | OpaqueBlock;

/** Fields of a message that `decodeTurns` reads, or that mean nothing in a request. */
const known = new Set(
  (
    'role content name tool_calls tool_call_id function_call reasoning reasoning_content reasoning_details refusal ' +
    'audio images cache_control extra_content thought_signature annotations is_error'
  ).split(' '),
);

/** `places` gets a name for each turn; one of several results is named by the first. */
export function decodeTurns(messages: readonly unknown[], places: string[], losses: Loss[]): Turn[] {
  const turns: Turn[] = [];
  /** Calls that are not answered yet, id to name. */
  const names = new Map<string, string>();
  let results: Block[] | undefined;
  for (const [index, value] of messages.entries()) {
    const at = `messages[${index}]`;
    const message = object(value);
    for (const key of Object.keys(message)) {
      if (!known.has(key) && message[key] !== null) losses.push({ field: `${at}.${key}`, how: 'dropped' });
    }
    if (message.role === 'tool' || message.role === 'function') {
      if (!results) {
        results = [];
        turns.push({ role: 'user', content: results });
        places.push(at);
      }
      results.push(decodeResult(message, names, at, losses));
      continue;
    }
    results = undefined;
    places.push(at);
    const name = text(message.name);
    const named = name !== undefined && { name };
    switch (message.role) {
      case 'system':
      case 'developer':
      case 'user':
        turns.push({ role: message.role, content: decodeContent(message, at, losses), ...named });
        break;
      case 'assistant':
        turns.push({ role: 'assistant', content: decodeAssistant(message, names, at, losses), ...named });
        break;
      default:
        throw wrong(`${at}.role`, 'system, developer, user, assistant or tool');
    }
  }
  return turns;
}

/** Anthropic's word, which OpenRouter and others take over, or OpenAI's own breakpoint. */
export function cacheMark(holder: Json): CacheMark | undefined {
  if (isObject(holder.cache_control)) return { ttl: holder.cache_control.ttl === '1h' ? '1h' : '5m' };
  return isObject(holder.prompt_cache_breakpoint) ? { ttl: '5m' } : undefined;
}

function decodeContent(message: Json, at: string, losses: Loss[]): Content[] {
  const content = message.content;
  const blocks: Content[] = [];
  const whole = cacheMark(message);
  if (typeof content === 'string') {
    if (content !== '') blocks.push({ type: 'text', text: content });
  } else if (Array.isArray(content)) {
    for (const [index, part] of content.entries()) {
      const block = decodePart(part, `${at}.content[${index}]`, losses);
      if (block) blocks.push(block);
    }
  }
  // Ollama's clients put pictures beside the text, as bare base64.
  for (const image of list(message.images)) {
    const data = text(image);
    if (data !== undefined) {
      blocks.push({ type: 'image', source: { kind: 'base64', data, mediaType: pictureType(data) } });
    } else if (isObject(image)) {
      const block = decodeMedia({ ...image, type: 'image_url' });
      if (block) blocks.push(block);
    }
  }
  const last = blocks.at(-1);
  if (whole && last && last.type !== 'opaque') blocks[blocks.length - 1] = { ...last, cache: whole };
  return blocks;
}

function pictureType(data: string): string {
  if (data.startsWith('/9j/')) return 'image/jpeg';
  if (data.startsWith('R0lG')) return 'image/gif';
  return data.startsWith('UklGR') ? 'image/webp' : 'image/png';
}

function decodePart(value: unknown, at: string, losses: Loss[]): Content | undefined {
  if (typeof value === 'string') return { type: 'text', text: value };
  const part = object(value);
  const cache = cacheMark(part);
  const marked = cache && { cache };
  if (part.type === 'text' || part.type === 'input_text' || part.type === 'output_text') {
    if (typeof part.text === 'string') return { type: 'text', text: part.text, ...marked };
    throw wrong(`${at}.text`, 'a string');
  }
  const media = decodeMedia(part);
  if (media) return { ...media, ...marked };
  const kind = text(part.type);
  if (kind === undefined) {
    losses.push({ field: at, how: 'dropped', note: 'not understood' });
    return undefined;
  }
  return { type: 'opaque', origin: 'openai-chat', kind, value };
}

function decodeResult(message: Json, names: Map<string, string>, at: string, losses: Loss[]): Block {
  // Legacy `function` messages answer by name alone.
  const id = text(message.tool_call_id) ?? calledAs(text(message.name), names);
  const name = names.get(id) ?? text(message.name);
  names.delete(id);
  const { cache_control: _mark, ...unmarked } = message;
  const mark = cacheMark(message);
  return {
    type: 'tool-result',
    id,
    ...(name !== undefined && { name }),
    content: decodeContent(unmarked, at, losses),
    ...(message.is_error === true && { failed: true }),
    ...(mark && { cache: mark }),
  };
}

/** The unanswered call of that name, or the oldest: `function` messages and careless clients give no id. */
function calledAs(name: string | undefined, names: ReadonlyMap<string, string>): string {
  const open = [...names];
  return (open.find((call) => call[1] === name) ?? open[0])?.[0] ?? '';
}

function decodeAssistant(message: Json, names: Map<string, string>, at: string, losses: Loss[]): Block[] {
  const blocks: Block[] = [];
  const details = decodeDetails(list(message.reasoning_details).filter(isObject));
  const plain = text(message.reasoning_content) ?? text(message.reasoning);
  // A client that kept the plain text and the proofs apart: the text belongs to the first proof.
  let apart = details.some((detail) => detail.text !== '') ? undefined : plain;
  for (const { text: words, signature, redacted } of details) {
    const own = redacted ? words : (apart ?? words);
    if (!redacted) apart = undefined;
    blocks.push({ type: 'reasoning', text: own, ...(redacted && { redacted }), ...(signature && { signature }) });
  }
  if (apart !== undefined) blocks.unshift({ type: 'reasoning', text: apart });
  for (const block of decodeContent(message, at, losses)) {
    if (block.type !== 'opaque' || block.origin !== 'openai-chat') blocks.push(block);
    else if (block.kind === 'refusal') {
      blocks.push({ type: 'refusal', text: text(object(block.value).refusal) ?? '' });
    } else if (block.kind === 'thinking') {
      const thought = object(block.value).thinking;
      const words = list(thought).map((piece) => text(object(piece).text) ?? '');
      blocks.push({ type: 'reasoning', text: typeof thought === 'string' ? thought : words.join('') });
    } else blocks.push(block);
  }
  const refusal = text(message.refusal);
  if (refusal !== undefined) blocks.push({ type: 'refusal', text: refusal });
  const audioId = text(object(message.audio).id);
  if (audioId !== undefined) {
    blocks.push({ type: 'audio', source: { kind: 'file', id: audioId, origin: 'openai-chat' } });
  }
  decodeCalls(message, names, at, blocks);
  return blocks;
}

function decodeCalls(message: Json, names: Map<string, string>, at: string, blocks: Block[]): void {
  const spare = googleSignature(message, true);
  let spared = false;
  const legacy = isObject(message.function_call) ? [{ function: message.function_call }] : [];
  for (const [index, value] of [...list(message.tool_calls), ...legacy].entries()) {
    const call = object(value);
    const body = object(call.function ?? call.custom);
    const name = text(body.name);
    if (name === undefined) throw wrong(`${at}.tool_calls[${index}].function.name`, 'a string');
    const id = text(call.id) ?? `call_${name}_${at.replace(/\D/g, '')}_${index}`;
    names.set(id, name);
    const custom = isObject(call.custom);
    const input = custom ? body.input : body.arguments;
    const signature = googleSignature(call, true) ?? (spared ? undefined : spare);
    spared = true;
    blocks.push({
      type: 'tool-call',
      id,
      name,
      input: typeof input === 'string' ? input : JSON.stringify(input ?? {}),
      ...(custom && { custom }),
      ...(signature && { signature }),
    });
  }
  if (!spare || spared) return;
  const last = blocks.findLastIndex((block) => block.type === 'text');
  const block = blocks[last];
  if (block?.type === 'text') blocks[last] = { ...block, signature: spare };
}
