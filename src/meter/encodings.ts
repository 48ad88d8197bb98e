// Which vocabulary counts a model's text, and how far another tokenizer is from it.

/** Vocabularies that the gateway can count with. */
export type Encoding = 'o200k_base' | 'cl100k_base';

export interface Counting {
  readonly encoding: Encoding;
  /** Tokens of the model for one of the vocabulary, on the high side; 1 where the vocabulary is its own. */
  readonly factor: number;
}

/** Read as the last part of `provider/model`, so that a router's `openai/gpt-4o` is found too. First match. */
const families: readonly (readonly [RegExp, Counting])[] = [
  [/(?:^|\/)(?:gpt-3\.5|gpt-4(?!o|\.\d))/, { encoding: 'cl100k_base', factor: 1 }],
  [/(?:^|\/)(?:ft:)?(?:gpt-|chatgpt-|o[1-9](?:-|$)|codex-)/, { encoding: 'o200k_base', factor: 1 }],
  [/(?:^|\/)grok-/, { encoding: 'o200k_base', factor: 1.1 }],
  [/(?:^|\/)gemini-/, { encoding: 'o200k_base', factor: 1.2 }],
  [/claude-opus-4-[789]|claude-(?:opus|sonnet|haiku)-[5-9]/, { encoding: 'o200k_base', factor: 1.8 }],
  [/claude/, { encoding: 'o200k_base', factor: 1.4 }],
];

export function countingOf(name: string): Counting {
  return families.find(([model]) => model.test(name))?.[1] ?? { encoding: 'o200k_base', factor: 1.25 };
}
