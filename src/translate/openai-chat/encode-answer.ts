// Parts as one chat completion.

import type { AnswerContext } from '../../exchange/codec.ts';
import type { Part } from '../../exchange/part.ts';
import type { Citation, Loss, MediaBlock } from '../../exchange/prompt.ts';
import type { Usage } from '../../exchange/usage.ts';
import { compact, isObject, list, object } from '../json.ts';
import type { Losses } from '../losses.ts';
import { encodeFinish, unsaidFinish } from './finish.ts';
import { encodeDetail, extraContent } from './signatures.ts';
import { encodeUsage } from './usage.ts';

type Wire = Record<string, unknown>;

interface Choice {
  text: string;
  said: boolean;
  refusal: string;
  /** All thoughts, and the text of the block that is not closed yet. */
  reasoning: string;
  open: string;
  signed: boolean;
  readonly details: Wire[];
  readonly calls: { wire: Wire; body: Wire; field: string }[];
  readonly annotations: Wire[];
  readonly images: Wire[];
  readonly logprobs: { content: unknown[]; refusal: unknown[] };
  audio?: Wire;
  extra?: Wire;
  finish: string | null;
}

export function encodeAnswer(
  parts: readonly Part[],
  context: AnswerContext,
): { body: string; losses: readonly Loss[] } {
  const losses: Loss[] = [];
  const choices = new Map<number, Choice>();
  let start: Extract<Part, { type: 'start' }> | undefined;
  let usage: Usage | undefined;
  for (const part of parts) {
    if (part.type === 'start') start ??= part;
    else if (part.type === 'usage') usage = part.usage;
    else if ('choice' in part) {
      let choice = choices.get(part.choice);
      if (!choice) {
        choice = emptyChoice();
        choices.set(part.choice, choice);
      }
      add(part, choice, context, losses);
    }
  }
  const body = compact({
    id: start?.id ?? context.id('chatcmpl-'),
    object: 'chat.completion',
    created: start?.created ?? context.created,
    model: start?.model ?? context.model,
    choices: [...choices.entries()].sort(([a], [b]) => a - b).map(([index, choice]) => wireChoice(index, choice)),
    usage: usage && encodeUsage(usage, context.price(usage)),
    service_tier: usage?.tier,
  });
  return { body: JSON.stringify(body), losses };
}

function emptyChoice(): Choice {
  return {
    text: '',
    said: false,
    refusal: '',
    reasoning: '',
    open: '',
    signed: false,
    details: [],
    calls: [],
    annotations: [],
    images: [],
    logprobs: { content: [], refusal: [] },
    finish: null,
  };
}

function add(part: Extract<Part, { choice: number }>, to: Choice, context: AnswerContext, losses: Loss[]): void {
  switch (part.type) {
    case 'text-delta':
      to.text += part.text;
      to.said = true;
      to.logprobs.content.push(...list(object(part.logprobs).content));
      to.logprobs.refusal.push(...list(object(part.logprobs).refusal));
      break;
    case 'text-signature':
      to.extra = extraContent(part.signature);
      break;
    case 'reasoning-delta':
      to.reasoning += part.text;
      to.open += part.text;
      break;
    case 'reasoning-signature': {
      const redacted = part.redacted === true;
      if (redacted) closeReasoning(to);
      to.details.push(encodeDetail(to.open, part.signature, redacted, to.details.length));
      to.open = '';
      to.signed = true;
      break;
    }
    case 'refusal-delta':
      to.refusal += part.text;
      break;
    case 'tool-input-start': {
      const field = part.custom ? 'input' : 'arguments';
      const body: Wire = { name: part.name, [field]: '' };
      const wire: Wire = { id: part.id || context.id('call_'), type: part.custom ? 'custom' : 'function' };
      wire[String(wire.type)] = body;
      if (part.signature) wire.extra_content = extraContent(part.signature);
      to.calls[part.index] = { wire, body, field };
      break;
    }
    case 'tool-input-delta': {
      const call = to.calls[part.index];
      if (call) call.body[call.field] = String(call.body[call.field]) + part.text;
      break;
    }
    case 'citation': {
      const annotation = encodeCitation(part.citation, losses);
      if (annotation) to.annotations.push(annotation);
      break;
    }
    case 'media': {
      const image = encodeImage(part.block);
      const audio = image ? undefined : encodeAudio(part.block, part.transcript, context.id('audio_'), context.created);
      if (image) to.images.push(image);
      else if (audio) to.audio = audio;
      else losses.push({ field: 'content', how: 'dropped', note: part.block.type });
      break;
    }
    case 'opaque':
      losses.push({ field: 'content', how: 'dropped', note: part.block.kind });
      break;
    case 'finish':
      to.finish = encodeFinish(part.reason, to.refusal !== '');
      break;
  }
}

function closeReasoning(choice: Choice): void {
  if (choice.open === '') return;
  choice.details.push(encodeDetail(choice.open, undefined, false, choice.details.length));
  choice.open = '';
}

function wireChoice(index: number, choice: Choice): Wire {
  if (choice.signed) closeReasoning(choice);
  const { content, refusal } = choice.logprobs;
  const calls = choice.calls.filter((call) => call !== undefined).map((call) => call.wire);
  const message = compact({
    role: 'assistant',
    content: choice.said ? choice.text : null,
    refusal: choice.refusal === '' ? null : choice.refusal,
    reasoning_content: choice.reasoning === '' ? undefined : choice.reasoning,
    reasoning_details: choice.signed ? choice.details : undefined,
    tool_calls: calls.length > 0 ? calls : undefined,
    annotations: choice.annotations.length > 0 ? choice.annotations : undefined,
    images: choice.images.length > 0 ? choice.images : undefined,
    audio: choice.audio,
    extra_content: choice.extra,
  });
  const probabilities = content.length + refusal.length > 0;
  return {
    index,
    message,
    logprobs: probabilities ? { content, refusal: refusal.length > 0 ? refusal : null } : null,
    finish_reason: choice.finish ?? unsaidFinish(calls.length > 0),
  };
}

/** A citation in OpenAI's words, which are for addresses alone. */
export function encodeCitation(citation: Citation, losses: Losses): Wire | undefined {
  const { url, title, start, end } = citation;
  const raw = citation.raw;
  if (citation.origin === 'openai-chat' && isObject(raw) && typeof raw.type === 'string') return { ...raw };
  if (url === undefined) {
    losses.push({ field: 'annotations', how: 'dropped', note: 'citations without an address' });
    return undefined;
  }
  return {
    type: 'url_citation',
    url_citation: { url, title: title ?? url, start_index: start ?? 0, end_index: end ?? 0 },
  };
}

export function encodeImage(block: MediaBlock): Wire | undefined {
  if (block.type !== 'image') return undefined;
  if (block.source.kind === 'url') return { type: 'image_url', image_url: { url: block.source.url } };
  if (block.source.kind !== 'base64') return undefined;
  return { type: 'image_url', image_url: { url: `data:${block.source.mediaType};base64,${block.source.data}` } };
}

/** `expires`: no provider of this format keeps it, so that a later turn cannot refer to it. */
export function encodeAudio(
  block: MediaBlock,
  transcript: string | undefined,
  id: string,
  expires: number,
): Wire | undefined {
  if (block.type !== 'audio' || block.source.kind !== 'base64') return undefined;
  return { id: block.name ?? id, expires_at: expires, data: block.source.data, transcript: transcript ?? '' };
}
