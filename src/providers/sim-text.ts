// What the built-in provider says: text made of whole tokens, chosen by the prompt alone, so that every count is exact.

import { Buffer } from 'node:buffer';

/** Blanks stick to the token they precede; long words are cut every eight letters, so that pieces rejoin to the text. */
const tokenPattern = /\s*(?:[\p{L}\p{N}_]{1,8}|[^\s\p{L}\p{N}_])|\s+$/gu;

/** The text in tokens; joined they are the text again. */
export function tokensOf(text: string): string[] {
  return text.match(tokenPattern) ?? [];
}

const sentences = [
  'Every request was admitted, metered and settled.',
  'No provider was called and no money was spent.',
  'The same prompt gives the same words each time.',
  'A gate that counts coins lets no cart pass unpaid.',
  'Streams arrive word by word, and their usage is exact.',
  'Budgets hold, limits bite, and ledgers add up.',
  'Ask for a tool, and its arguments will fit its schema.',
  'Change the model name to see errors, cuts and delays.',
];

/** FNV-1a over UTF-8: small, and the same everywhere. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

/** An answer of at least `wanted` tokens, ending with a whole sentence. */
export function answerTokens(model: string, asked: string, seed: number, wanted: number): string[] {
  const quoted = tokensOf(asked.trim()).slice(0, 24).join('').trim();
  const tokens = tokensOf(`This is ${model}, the built-in simulation. You said: "${quoted}".`);
  for (let at = seed; tokens.length < wanted; at = Math.imul(at, 1664525) + 1013904223) {
    tokens.push(...tokensOf(` ${sentences[(at >>> 16) % sentences.length]}`));
  }
  return tokens;
}

export function reasoningTokens(asked: string): string[] {
  const topic = tokensOf(asked.trim()).slice(0, 8).join('').trim();
  return tokensOf(
    `The user says "${topic}". I weigh what is meant, recall that I am a simulation, and answer briefly.`,
  );
}
