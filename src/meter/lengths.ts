// How long the answers of a key and a model usually are: what a first hold sets aside.

import { RecentByName } from './recent.ts';

/** Of keys and models, of models alone. An answer is remembered as one number. */
const keysMax = 4096;
const modelsMax = 1024;
const answersOfKey = 16;
const answersOfModel = 64;
/** Fewer answers say too little. */
const answersLeast = 3;

export interface Lengths {
  /** Median output tokens of what this key had from this model, else of what anybody had from it; undefined where too few are known. */
  usual(keyId: string, model: string): number | undefined;
  /** Nine of ten are no longer; the same otherwise. */
  long(keyId: string, model: string): number | undefined;
  /** Whether the model's answers usually hold thoughts that are counted; undefined before the first. */
  thinks(model: string): boolean | undefined;
  learn(keyId: string, model: string, outputTokens: number, reasoningTokens: number): void;
}

/** `model` is `provider/model`. Bounded; lost at a restart. */
export function createLengths(): Lengths {
  const ofKeys = new RecentByName(keysMax, answersOfKey);
  const ofModels = new RecentByName(modelsMax, answersOfModel);
  const thoughts = new RecentByName(modelsMax, 16);
  const quantile = (keyId: string, model: string, share: number): number | undefined => {
    const own = ofKeys.find(`${keyId} ${model}`);
    if (own && own.count >= answersLeast) return own.quantile(share);
    const all = ofModels.find(model);
    return all && all.count >= answersLeast ? all.quantile(share) : undefined;
  };
  return {
    usual: (keyId, model) => quantile(keyId, model, 0.5),
    long: (keyId, model) => quantile(keyId, model, 0.9),
    thinks(model) {
      const usual = thoughts.find(model)?.quantile(0.5);
      return usual === undefined ? undefined : usual > 0;
    },
    learn(keyId, model, outputTokens, reasoningTokens) {
      thoughts.add(model, reasoningTokens);
      ofKeys.add(`${keyId} ${model}`, outputTokens);
      ofModels.add(model, outputTokens);
    },
  };
}
