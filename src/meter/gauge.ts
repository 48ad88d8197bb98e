// How many tokens a stream has put out so far: a ratio found by sampling its text, re-based on every count it tells.

import type { Frame } from '../exchange/frame.ts';
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
  /** One event, which the lane counted as so many characters. */
  sample(frame: Pick<Frame, 'data' | 'words'>, characters: number): void;
  /** Text that is not of an event. */
  sampleText(text: string, characters: number): void;
  /** The provider says how many tokens there are after so many characters. False for a count that cannot be one. */
  told(characters: number, tokens: number): boolean;
  /** An exact count. */
  counted(characters: number, tokens: number): void;
  /** The bill, where it can be compared with what was seen. */
  learn(characters: number, tokens: number): void;
}

/** The first samples lie close together, then every 400 characters: a parse each, 0.1 µs a chunk over a long stream. */
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
  return new SampledGauge(factors, name);
}

/** A class, since a literal with a getter gets a hidden class of its own each time, kept until a full collection. */
class SampledGauge implements Gauge {
  nextSampleAt = 0;
  readonly #factors: Factors;
  readonly #name: string;
  readonly #mix = emptyMix();
  #seen = 0;
  #samples = 0;
  #baseCharacters = 0;
  #baseTokens = 0;
  #ratio = guess * 1.3;

  constructor(factors: Factors, name: string) {
    this.#factors = factors;
    this.#name = name;
  }

  tokens(characters: number): number {
    return this.#baseTokens + Math.ceil((characters - this.#baseCharacters) * this.#ratio);
  }

  sample(frame: Pick<Frame, 'data' | 'words'>, characters: number): void {
    this.sampleText(frame.words ?? textInside(frame.data), characters);
    this.nextSampleAt += this.#samples < samplesAtFirst ? 1 : sampleEvery;
  }

  sampleText(text: string, characters: number): void {
    if (text === '' || !(characters > 0)) return;
    const bytes = encoder.encode(text.length > 8192 ? text.slice(0, 8192) : text);
    addBytes(this.#mix, bytes, 0, bytes.length);
    this.#seen += text.length > 8192 ? (characters * 8192) / text.length : characters;
    this.#samples++;
    const each = (tokensOf(this.#mix) + guess * guessWeighs) / (this.#seen + guessWeighs);
    this.#ratio = each * this.#factors.factor(this.#name, scriptOf(this.#mix));
  }

  told(characters: number, tokens: number): boolean {
    const believed = tokens >= characters * leastTokensPerCharacter;
    if (believed) this.counted(characters, tokens);
    return believed;
  }

  counted(characters: number, tokens: number): void {
    this.#baseCharacters = characters;
    this.#baseTokens = tokens;
  }

  learn(characters: number, tokens: number): void {
    if (tokens < learnFromTokens || this.#seen === 0) return;
    const weighed = (tokensOf(this.#mix) / this.#seen) * characters;
    if (weighed > 0) this.#factors.learn(this.#name, scriptOf(this.#mix), tokens / weighed);
  }
}
