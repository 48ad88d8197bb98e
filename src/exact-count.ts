// Exact counts before a refusal or a cut: asked of a worker, bounded, and only where they could change the verdict.

import { countingOf } from './meter/encodings.ts';
import { stringsOf } from './meter/frame-text.ts';
import type { Rooms } from './rooms.ts';

/** A count takes no more of a processor than this; the provider is paused meanwhile. */
const countBoundMs = 20;

/** More than a worker can count in that time. */
const charactersMax = 200_000;

/** A chat template's own tokens, each message a few. */
const templateTokens = 64;

/** Tokens of text in a prompt, counted; undefined where that cannot be, or where it is not less than the estimate. */
export async function exactPrompt(
  { world }: Rooms,
  name: string,
  body: Readonly<Record<string, unknown>>,
  estimate: number,
): Promise<number | undefined> {
  if (!world.tokenizer) return undefined;
  const text = stringsOf(body, charactersMax);
  if (text === undefined) return undefined;
  const { encoding, factor } = countingOf(name);
  const counted = await world.tokenizer.count(text, encoding, countBoundMs);
  if (counted === undefined) return undefined;
  const tokens = Math.ceil(counted * factor) + templateTokens;
  return tokens < estimate ? tokens : undefined;
}

/** Tokens of a piece of an answer; undefined where they cannot be counted in time. */
export async function exactOutput({ world }: Rooms, name: string, text: string): Promise<number | undefined> {
  if (!world.tokenizer) return undefined;
  if (text === '') return 0;
  const { encoding, factor } = countingOf(name);
  const counted = await world.tokenizer.count(text, encoding, countBoundMs);
  return counted === undefined ? undefined : Math.ceil(counted * factor);
}
