// How many tokens a request brings along: its text by a sample, its pictures, documents and sounds by formula.

import type { Outline } from '../exchange/outline.ts';
import { createFactors, high } from './factors.ts';
import { type Script, scriptOf, tokensOf } from './mix.ts';
import { RecentByName } from './recent.ts';
import { sampleOf } from './sample.ts';

/** Tokens of a prompt by what they are billed as; each on the high side. */
export interface PromptTokens {
  readonly text: number;
  readonly images: number;
  readonly audio: number;
}

/** A request as it is estimated, kept for what its bill will teach. */
export interface PromptEstimate extends PromptTokens {
  /** Our own count of the text, before any factor. */
  readonly weighed: number;
  readonly script: Script;
}

export interface Prompts {
  estimate(name: string, outline: Outline, body: Uint8Array): PromptEstimate;
  /** The provider counted so many tokens of input, cached ones included. */
  learn(name: string, outline: Outline, estimate: PromptEstimate, actual: number): void;
}

/** A chat template's own tokens, and with tools what the provider tells its model about them: Claude's are told most. */
const templateTokens = 16;
const toolsTokens = (name: string): number => (name.includes('claude') ? 550 : 100);

/** Below, a template's constant outweighs the text; above, the text tells the factor. */
const shortTokens = 400;
const namesMax = 2048;

/** The most that the usual providers count for one image (Anthropic 1,600; OpenAI's high detail 1,445; Gemini 3 1,120). */
const tokensPerImage = 1600;
/** Models that count a picture as many times more tokens as their text is cheaper. */
const dearImages: readonly (readonly [RegExp, number])[] = [
  [/gpt-4o-mini/, 36_835],
  [/gpt-4\.1-nano|gpt-5-nano/, 3_800],
  [/gpt-4\.1-mini|gpt-5-mini|o4-mini/, 2_500],
  [/claude-opus-4-[789]|claude-(?:opus|sonnet)-[5-9]/, 4_800],
];

/** A document whose bytes we do not see (a URL, a file id), and the least for one that we do. */
const tokensPerDocument = 3000;
/** Base64 bytes of a PDF per token: a dense page is 3,000 tokens in about 60 KB. */
const documentBytesPerToken = 20;
/** Base64 bytes of audio per token: 32 tokens a second (Gemini, the dearest) at 64 kbit/s. */
const audioBytesPerToken = 330;
const tokensPerAudio = 1000;

export function createPrompts(): Prompts {
  const factors = createFactors();
  const constants = new RecentByName(namesMax, 32);

  const constantName = (name: string, outline: Outline): string => (outline.tools > 0 ? `${name} tools` : name);

  return {
    estimate(name, outline, body) {
      const media = mediaTokens(name, outline);
      const sample = sampleOf(body, outline.mediaBytes > 0);
      const textBytes = Math.max(0, body.length - outline.mediaBytes);
      const weighed = sample.bytes === 0 ? 0 : (tokensOf(sample.mix) / sample.bytes) * textBytes;
      const script = scriptOf(sample.mix);
      const start = outline.tools > 0 ? toolsTokens(name) : templateTokens;
      const constant = high(constants, constantName(name, outline), start);
      return {
        text: Math.ceil(weighed * factors.factor(name, script) + constant + media.documents),
        images: media.images,
        audio: media.audio,
        weighed,
        script,
      };
    },

    learn(name, outline, { weighed, script }, actual) {
      // What a picture or a search brought in cannot be told from the text.
      if (outline.mediaBytes + outline.images + outline.documents + outline.audio > 0) return;
      if (outline.paidTools.length > 0 || !(actual > 0) || weighed === 0) return;
      const constant = constants.find(constantName(name, outline))?.quantile(0.5) ?? 0;
      if (weighed >= shortTokens) factors.learn(name, script, Math.max(0, actual - constant) / weighed);
      else constants.add(constantName(name, outline), Math.min(4000, Math.max(0, actual - weighed)));
    },
  };
}

function mediaTokens(name: string, outline: Outline): { images: number; documents: number; audio: number } {
  const pieces = outline.images + outline.documents + outline.audio;
  if (pieces === 0) return { images: 0, documents: 0, audio: 0 };
  const bytesEach = outline.mediaBytes / pieces;
  const image = dearImages.find(([model]) => model.test(name))?.[1] ?? tokensPerImage;
  return {
    images: outline.images * image,
    documents: Math.ceil(outline.documents * Math.max(tokensPerDocument, bytesEach / documentBytesPerToken)),
    audio: Math.ceil(outline.audio * Math.max(tokensPerAudio, bytesEach / audioBytesPerToken)),
  };
}
