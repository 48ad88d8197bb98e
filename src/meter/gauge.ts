// How many tokens a stream has put out so far: a ratio found by sampling its text, re-based on every count it tells.

import type { Factors } from './factors.ts';
import { textInside } from './frame-text.ts';
import { addBytes, emptyMix, scriptOf, tokensOf } from './mix.ts';

export interface Gauge {
  /**
   * Output tokens after so many characters, on the high side. Characters are the lane's own, whatever it counts in:
   * sampling finds what one of them is worth.
   */
  tokens(characters: number): number;
  /** Characters from which on it would like to see a piece of the stream. */
  readonly nextSampleAt: number;
  /** `data`: the JSON of one event, which the lane counted as so many characters. */
  sample(data: string, characters: number): void;
  /** Text that is not of an event. */
  sampleText(text: string, characters: number): void;
  /** The provider says how many tokens there are after so many characters; a count that cannot be one is not believed. */
  told(characters: number, tokens: number): void;
  /** An exact count. */
  counted(characters: number, tokens: number): void;
  /** The bill, where it can be compared with what was seen. */
  learn(characters: number, tokens: number): void;
}

/** The first samples lie close together, then every 400 characters: 2 µs each, 0.1 µs a chunk over a long stream. */
const samplesAtFirst = 6;
const sampleEvery = 400;
/** Before the first sample, a character is a third of a token; that guess weighs as much as so many characters. */
const guess = 1 / 3;
const guessWeighs = 24;
/** Fewer tokens of text per character than this are a provider's placeholder and no count. */
const leastTokensPerCharacter = 1 / 40;
/** Short answers say more of a format's constants than of a text. */
const learnFromTokens = 48;

const encoder = new TextEncoder();

/** `name` is `provider/model`. */
export function createGauge(factors: Factors, name: string): Gauge {
  const mix = emptyMix();
  let seen = 0;
  let samples = 0;
  let nextSampleAt = 0;
  let baseCharacters = 0;
  let baseTokens = 0;
  let ratio = guess * 1.3;

  const update = (): void => {
    const each = (tokensOf(mix) + guess * guessWeighs) / (seen + guessWeighs);
    ratio = each * factors.factor(name, scriptOf(mix));
  };

  const sampleText = (text: string, characters: number): void => {
    if (text === '' || !(characters > 0)) return;
    const bytes = encoder.encode(text.length > 8192 ? text.slice(0, 8192) : text);
    addBytes(mix, bytes, 0, bytes.length);
    seen += text.length > 8192 ? (characters * 8192) / text.length : characters;
    samples++;
    update();
  };

  const rebase = (characters: number, tokens: number): void => {
    baseCharacters = characters;
    baseTokens = tokens;
  };

  return {
    tokens: (characters) => baseTokens + Math.ceil((characters - baseCharacters) * ratio),
    get nextSampleAt() {
      return nextSampleAt;
    },
    sample(data, characters) {
      sampleText(textInside(data), characters);
      nextSampleAt += samples < samplesAtFirst ? 1 : sampleEvery;
    },
    sampleText,
    told(characters, tokens) {
      if (tokens >= characters * leastTokensPerCharacter) rebase(characters, tokens);
    },
    counted: rebase,
    learn(characters, tokens) {
      if (tokens < learnFromTokens || seen === 0) return;
      const weighed = (tokensOf(mix) / seen) * characters;
      if (weighed > 0) factors.learn(name, scriptOf(mix), tokens / weighed);
    },
  };
}
