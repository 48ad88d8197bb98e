// Which counts of a provider can be a bill, and which are a placeholder or a lie.

import { inputTokens, outputTokens, type Usage } from '../exchange/usage.ts';

/** No model takes or makes as many in one request. */
const tokensAtMost = 100_000_000;
const piecesAtMost = 1_000_000;
/** An output of this many tokens is no placeholder, however long the text is: results of tools are shown and not counted. */
const placeholderBelow = 32;
const charactersPerToken = 40;

/** The bill of a whole answer that showed so many characters. */
export function believable(usage: Usage, characters: number): boolean {
  if (!possible(usage) || isPlaceholder(usage, characters)) return false;
  return counts(usage) || characters === 0;
}

/** Something was counted, and no more than a model could have. */
export function countsSomething(usage: Usage): boolean {
  return possible(usage) && counts(usage);
}

/** No more than a model could have: what is more is not heard at all. */
export function possible(usage: Usage): boolean {
  if (inputTokens(usage) + outputTokens(usage) > tokensAtMost) return false;
  if (usage.images + usage.seconds + usage.webSearches > piecesAtMost) return false;
  return usage.unknown === undefined || Object.values(usage.unknown).every((each) => each <= tokensAtMost);
}

/** The count of an answer that had not begun, where no later one came: its input holds, its output is yet to be counted. */
export function isPlaceholder(usage: Usage, characters: number): boolean {
  const tokens = outputTokens(usage);
  const text = usage.outputAudio + usage.outputImage + usage.images + usage.seconds === 0;
  return text && inputTokens(usage) > 0 && tokens < placeholderBelow && tokens * charactersPerToken < characters;
}

function counts(usage: Usage): boolean {
  return inputTokens(usage) + outputTokens(usage) + usage.images + usage.seconds > 0;
}
