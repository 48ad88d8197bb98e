// Cheap token estimates, on the high side: they set money aside until the provider's own count settles the matter.

import type { Outline } from '../exchange/outline.ts';

/** English runs at 4 to 5 characters a token, code and JSON at 3; fewer would set twice the money aside for plain text. */
const charactersPerToken = 3;

/** The most that the usual providers count for one image (Anthropic 1,600; OpenAI's high detail 1,445). */
const tokensPerImage = 1600;

/** A document whose bytes we do not see (a URL, a file id), and the least for one that we do. */
const tokensPerDocument = 3000;

/** Base64 bytes of a PDF per token: a dense page is 3,000 tokens in about 60 KB. */
const documentBytesPerToken = 20;

/** Base64 bytes of audio per token: 32 tokens a second (Gemini, the dearest) at 64 kbit/s. */
const audioBytesPerToken = 330;
const tokensPerAudio = 1000;

export function inputTokens(outline: Outline): number {
  const text = Math.max(0, outline.bytes - outline.mediaBytes);
  const pieces = outline.images + outline.documents + outline.audio;
  const bytesEach = pieces > 0 ? outline.mediaBytes / pieces : 0;
  const documents = outline.documents * Math.max(tokensPerDocument, bytesEach / documentBytesPerToken);
  const audio = outline.audio * Math.max(tokensPerAudio, bytesEach / audioBytesPerToken);
  return Math.ceil(text / charactersPerToken + outline.images * tokensPerImage + documents + audio);
}
