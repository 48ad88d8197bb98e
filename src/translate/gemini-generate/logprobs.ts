// Log probabilities: Gemini's two parallel lists, and the neutral list of tokens with their alternatives.

import { type Fields, field, fieldsOf, listOf, numberOf, textOf } from './wire.ts';

interface Token {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
}

/** The neutral shape is the widespread `{content: [{token, logprob, bytes, top_logprobs}]}`. */
export function decodeLogprobs(result: Fields): { content: (Token & { top_logprobs: Token[] })[] } | undefined {
  const chosen = listOf(field(result, 'chosenCandidates'));
  if (chosen.length === 0) return undefined;
  const alternatives = listOf(field(result, 'topCandidates'));
  return {
    content: chosen.map((each, index) => ({
      ...tokenOf(fieldsOf(each)),
      top_logprobs: listOf(fieldsOf(alternatives[index]).candidates).map((other) => tokenOf(fieldsOf(other))),
    })),
  };
}

function tokenOf(candidate: Fields): Token {
  const token = textOf(candidate.token) ?? '';
  return { token, logprob: numberOf(field(candidate, 'logProbability')) ?? 0, bytes: [...Buffer.from(token, 'utf8')] };
}

export function encodeLogprobs(logprobs: unknown): { chosenCandidates: object[]; topCandidates: object[] } | undefined {
  const content = listOf(fieldsOf(logprobs).content).map(fieldsOf);
  if (content.length === 0) return undefined;
  const candidate = (token: Fields) => ({
    token: textOf(token.token) ?? '',
    logProbability: numberOf(token.logprob) ?? 0,
  });
  return {
    chosenCandidates: content.map(candidate),
    topCandidates: content.map((token) => ({ candidates: listOf(token.top_logprobs).map(fieldsOf).map(candidate) })),
  };
}
