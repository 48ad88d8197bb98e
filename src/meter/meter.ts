// The meter's door: how many tokens a request brings, how many an answer has, how long answers usually are.
// All that it knows is learned, bounded and may be lost.

import type { Outline } from '../exchange/outline.ts';
import { createRoster, type Listed } from '../exchange/roster.ts';
import type { Clock } from '../world/world.ts';
import { createFactors } from './factors.ts';
import { createGauge, type Gauge } from './gauge.ts';
import { createLengths } from './lengths.ts';
import { createLimits } from './limits.ts';
import { createPrompts, type PromptEstimate } from './prompt.ts';
import { createTexts, type KeptText } from './texts.ts';

interface Watched extends Listed {
  readonly each: () => void;
}

export interface Meter {
  /** Tokens of a request at `provider/model`, on the high side; a sample, however large it is (bench/README.md has its cost). */
  prompt(name: string, outline: Outline, body: Uint8Array): PromptEstimate;
  /** Counts one answer of `provider/model`. */
  gauge(name: string): Gauge;
  /** Median output tokens of this key's answers from `provider/model`; undefined where too little is known. */
  usualLength(keyId: string, name: string): number | undefined;
  /** Output tokens that nine of ten answers do not pass. */
  longLength(keyId: string, name: string): number | undefined;
  learnPrompt(name: string, outline: Outline, estimate: PromptEstimate, actual: number): void;
  /** Whether the model usually thinks, shown or hidden; undefined before its first answer. */
  thinks(name: string): boolean | undefined;
  /** Whether the model stops at the output limit that it is given; true until a bill shows otherwise. */
  keepsLimit(name: string): boolean;
  /** The bill of a whole answer that was to have no more than `limit` tokens. */
  learnLimit(name: string, limit: number, tokens: number): void;
  learnLength(keyId: string, name: string, outputTokens: number, reasoningTokens: number): void;
  /** Room for the text of one answer, for an exact count; undefined where too many are kept already. */
  keepText(): KeptText | undefined;
  /** Called once a second until `stop`: streams that may think in silence reserve what they think. Answers how to stop it. */
  watch(each: () => void): () => void;
  /** Streams that are watched. */
  readonly watched: number;
  stop(): void;
}

const sweepMs = 1000;

export function createMeter(clock: Pick<Clock, 'every'>): Meter {
  const prompts = createPrompts();
  const answers = createFactors();
  const lengths = createLengths();
  const limits = createLimits();
  const texts = createTexts();
  const watched = createRoster<Watched>();
  const stop = clock.every(sweepMs, () => {
    for (const { each } of watched.list()) each();
  });
  return {
    prompt: prompts.estimate,
    gauge: (name) => createGauge(answers, name),
    usualLength: lengths.usual,
    longLength: lengths.long,
    learnPrompt: prompts.learn,
    thinks: lengths.thinks,
    learnLength: lengths.learn,
    keepsLimit: limits.keeps,
    learnLimit: limits.learn,
    keepText: texts.keep,
    watch(each) {
      const one: Watched = { seat: -1, each };
      watched.add(one);
      return () => watched.remove(one);
    },
    get watched() {
      return watched.size;
    },
    stop,
  };
}
