// The door of translation: one codec a format, and the ways between them.

import type { AnswerContext, AnswerOut, Codec, Lane, RequestBody, UpEdits } from '../exchange/codec.ts';
import type { Format, Surface } from '../exchange/format.ts';
import type { Outline } from '../exchange/outline.ts';
import type { Loss } from '../exchange/prompt.ts';
import { Refusal } from '../exchange/refusal.ts';
import type { Target } from '../exchange/target.ts';
import { anthropicMessages } from './anthropic-messages/codec.ts';
import { crossAnswer, crossStream } from './crossing.ts';
import { geminiGenerate } from './gemini-generate/codec.ts';
import { inClientsWords } from './loss-names.ts';
import { openaiChat } from './openai-chat/codec.ts';

export const codecs: Readonly<Record<Format, Codec>> = {
  'openai-chat': openaiChat,
  'anthropic-messages': anthropicMessages,
  'gemini-generate': geminiGenerate,
};

/** A stream's way down: the same bytes where both sides speak one format, otherwise decoded and written anew. */
export function openLane(client: Format, provider: Format, context: AnswerContext): Lane {
  if (client === provider) return codecs[client].passStream(context);
  return crossStream(codecs[client], codecs[provider], context);
}

/** A whole answer's way down. With `failure`, the body is not for the client. */
export function passAnswer(client: Format, provider: Format, raw: Buffer, context: AnswerContext): AnswerOut {
  if (client === provider) return codecs[client].passAnswer(raw, context);
  return crossAnswer(codecs[client], codecs[provider], raw, context);
}

/**
 * A request's way up. `edits` has a limit, and a thinking budget, where the money clamps it. Throws `Refusal` (`invalid_request`)
 * where a crossing cannot make sense of the client's messages.
 */
export function encodeRequest(
  client: Format,
  request: RequestBody,
  surface: Surface,
  outline: Outline,
  target: Target,
  edits: Omit<UpEdits, 'model'>,
): { body: Buffer | string; losses: Loss[] } {
  if (client === target.provider.format) {
    const losses: Loss[] = [];
    return { body: codecs[client].splice(request, { model: target.model, ...edits }, target, losses), losses };
  }
  const decoded = codecs[client].decodeRequest(request.body, surface);
  const clamped = edits.outputLimit === undefined ? {} : { outputLimit: edits.outputLimit };
  const { reasoning } = decoded.prompt;
  const thinks =
    edits.thinkingBudget === undefined || reasoning?.budgetTokens === undefined
      ? {}
      : { reasoning: { ...reasoning, budgetTokens: edits.thinkingBudget } };
  const prompt = { ...decoded.prompt, ...clamped, ...thinks, stream: outline.stream };
  const encoded = codecs[target.provider.format].encodeRequest(prompt, target);
  if (encoded.turns === 0) {
    const param = client === 'gemini-generate' ? 'contents' : 'messages';
    throw new Refusal('invalid_request', `'${param}' must hold a turn that says something.`, { param });
  }
  return {
    body: encoded.body,
    losses: [...inClientsWords(client, decoded.losses, []), ...inClientsWords(client, encoded.losses, decoded.places)],
  };
}
