// Gemini's contents as turns: parts become blocks, calls without ids get them, results find their calls.

import type { Block, Loss, ReasoningBlock, Signature, ToolResultBlock, Turn } from '../../exchange/prompt.ts';
import { partialArguments } from './arguments.ts';
import { decodeMedia } from './decode-media.ts';
import { wrong } from './outline.ts';
import { type ReadSignature, readSignature } from './signature.ts';
import { camel, type Fields, field, fieldsOf, isFields, listOf, parsed, textOf } from './wire.ts';

/** Calls of the conversation in order; `answered` once a result has taken it. */
interface Call {
  readonly id: string;
  readonly name: string;
  answered: boolean;
}

/** `places` gets a name for each turn; one that was several contents is named by the first. */
export function decodeContents(value: unknown, places: string[], losses: Loss[]): Turn[] {
  const turns: { role: 'system' | 'user' | 'assistant'; content: Block[] }[] = [];
  const calls: Call[] = [];
  const contents = typeof value === 'string' ? [{ parts: [{ text: value }] }] : listOf(value);
  contents.forEach((each, index) => {
    const { role: said, parts } = fieldsOf(each);
    const role = roleOf(said, index);
    const content = decodeParts(parts, role, `contents[${index}]`, calls, losses);
    const last = turns.at(-1);
    // Google's chat clients keep each streamed piece as a content of its own: together they are one turn.
    if (last && last.role === role && role === 'assistant') last.content.push(...content);
    else if (content.length > 0) {
      turns.push({ role, content });
      places.push(`contents[${index}]`);
    }
  });
  return turns.map((turn) => ({ role: turn.role, content: joinReasoning(turn.content) }));
}

function roleOf(value: unknown, index: number): 'system' | 'user' | 'assistant' {
  if (value === 'model' || value === 'assistant') return 'assistant';
  if (value === 'system') return 'system';
  if (
    value === undefined ||
    value === null ||
    value === '' ||
    value === 'user' ||
    value === 'function' ||
    value === 'tool'
  )
    return 'user';
  throw wrong(`contents[${index}].role`, '"user" or "model"');
}

function decodeParts(parts: unknown, role: string, path: string, calls: Call[], losses: Loss[]): Block[] {
  return listOf(parts).flatMap((each, index): Block[] => {
    const part = partOf(each);
    const place = `${path}.parts[${index}]`;
    const call = field(part, 'functionCall');
    if (isFields(call)) return [decodeCall(call, signatureOf(part)?.signature, calls)];
    const response = field(part, 'functionResponse');
    // In a model turn it is the result of a server-side tool, which only Google can read.
    if (isFields(response) && role !== 'assistant') return [decodeResult(response, place, calls, losses)];
    return decodePart(part, place, losses);
  });
}

function signatureOf(part: Fields): ReadSignature | undefined {
  const value = textOf(field(part, 'thoughtSignature'));
  return value === undefined || value === '' ? undefined : readSignature(value);
}

/** A part, or a bare text in its place. */
export function partOf(value: unknown): Fields {
  return typeof value === 'string' ? { text: value } : fieldsOf(value);
}

/** A part that is neither a call nor a result; nothing for an empty one. */
export function decodePart(part: Fields, path: string, losses: Loss[]): Exclude<Block, ToolResultBlock>[] {
  const read = signatureOf(part);
  const signed = read ? { signature: read.signature } : {};
  const text = textOf(part.text);
  if (text !== undefined && part.thought === true) {
    return [{ type: 'reasoning', text, ...(read?.redacted ? { redacted: true } : {}), ...signed }];
  }
  if (text !== undefined) return text === '' && !read ? [] : [{ type: 'text', text, ...signed }];
  const media = decodeMedia(part, path, losses);
  if (media) return [{ ...media, ...signed }];
  const kind = Object.keys(part).find(
    (key) => !['thought', 'thoughtSignature'].includes(camel(key)) && part[key] !== null,
  );
  if (kind !== undefined) return [{ type: 'opaque', origin: 'gemini-generate', kind: camel(kind), value: part }];
  return read ? [{ type: 'text', text: '', ...signed }] : [];
}

function decodeCall(call: Fields, signature: Signature | undefined, calls: Call[]): Block {
  const name = textOf(call.name) ?? '';
  const id = textOf(call.id) || freshId(calls);
  calls.push({ id, name, answered: false });
  return { type: 'tool-call', id, name, input: argumentsOf(call), ...(signature ? { signature } : {}) };
}

/** The arguments of a whole call as JSON text. */
export function argumentsOf(call: Fields): string {
  const pieces = field(call, 'partialArgs');
  if (call.args === undefined && pieces !== undefined) {
    const collected = partialArguments();
    collected.add(pieces);
    return collected.json();
  }
  return JSON.stringify(call.args ?? {});
}

/** The same conversation always gets the same ids, so that a provider's prompt cache is not spoilt. */
function freshId(calls: readonly Call[]): string {
  let number = calls.length;
  while (calls.some((call) => call.id === `call_${number}`)) number++;
  return `call_${number}`;
}

function decodeResult(response: Fields, path: string, calls: Call[], losses: Loss[]): ToolResultBlock {
  const name = textOf(response.name);
  const given = textOf(response.id) || undefined;
  const open = calls.filter((call) => !call.answered);
  const call =
    open.find((each) => each.id === given) ??
    // An id that no call has is the client's own; the name, then the order, still tell which call was meant.
    open.find((each) => each.name === name) ??
    (name === undefined ? open[0] : undefined);
  if (call) call.answered = true;
  const { text, failed } = resultText(response.response);
  const media = listOf(response.parts).flatMap((each, index) => {
    const place = `${path}.functionResponse.parts[${index}]`;
    const block = decodeMedia(fieldsOf(each), place, losses);
    if (!block) losses.push({ field: place, how: 'dropped' });
    return block ?? [];
  });
  for (const key of ['willContinue', 'scheduling']) {
    if (field(response, key)) losses.push({ field: `${path}.functionResponse.${key}`, how: 'dropped' });
  }
  const known = name ?? call?.name;
  return {
    type: 'tool-result',
    id: call?.id ?? given ?? freshId(calls),
    ...(known === undefined ? {} : { name: known }),
    content: [...(text === undefined ? [] : [{ type: 'text' as const, text }]), ...media],
    ...(failed ? { failed } : {}),
  };
}

/**
 * `{output: "..."}` and `{error: "..."}` are Google's words for a plain text and a failure; any other object travels
 * as JSON text. A text that would itself be read as an object stays wrapped, so that the way back is exact.
 */
function resultText(response: unknown): { text: string | undefined; failed: boolean } {
  if (response === undefined || response === null) return { text: undefined, failed: false };
  if (typeof response === 'string') return { text: response, failed: false };
  if (isFields(response) && Object.keys(response).length === 1) {
    const { output, error } = response;
    if (typeof output === 'string' && !isFields(parsed(output))) return { text: output, failed: false };
    if (typeof error === 'string' && !isFields(parsed(error))) return { text: error, failed: true };
  }
  const failed =
    isFields(response) && response.error !== undefined && response.error !== null && response.output === undefined;
  return { text: JSON.stringify(response), failed };
}

/** Thoughts that were signed elsewhere reach a Gemini client in pieces, the proof last: one block again. */
function joinReasoning(blocks: readonly Block[]): Block[] {
  const joined: Block[] = [];
  for (const block of blocks) {
    const foreign = block.type === 'reasoning' && block.signature && block.signature.origin !== 'gemini-generate';
    if (!foreign || block.redacted) {
      joined.push(block);
      continue;
    }
    const before: ReasoningBlock[] = [];
    for (let last = joined.at(-1); last?.type === 'reasoning' && !last.signature; last = joined.at(-1)) {
      before.unshift(last);
      joined.pop();
    }
    joined.push({ ...block, text: before.map((each) => each.text).join('') + block.text });
  }
  return joined;
}
