// What the Claude families accept, where a request in another format cannot know it. Others on this wire are trusted.

export interface Traits {
  /** `budget`: thinking wants a number of tokens; `adaptive`: it refuses one; `either`; `none`: it cannot think. */
  readonly thinking: 'none' | 'budget' | 'either' | 'adaptive';
  /** Most tokens it can put out; undefined where we do not know. */
  readonly outputLimit: number | undefined;
  /** `both`; `one`: temperature or top_p, not both; `none`: neither, nor top_k. */
  readonly sampling: 'both' | 'one' | 'none';
  /** Whether `output_config.format` and strict tools are understood. */
  readonly structured: boolean;
  /** Steps of `output_config.effort`, empty where it knows none. */
  readonly efforts: readonly string[];
}

const three = ['low', 'medium', 'high'];
const four = [...three, 'max'];
const five = [...three, 'xhigh', 'max'];

function traitsOf(
  thinking: Traits['thinking'],
  outputLimit: number | undefined,
  sampling: Traits['sampling'],
  structured: boolean,
  efforts: readonly string[],
): Traits {
  return { thinking, outputLimit, sampling, structured, efforts };
}

/** First match wins; anchored on words of the name, which hosts prefix (`anthropic.claude-…`) and suffix (`@20250929`). */
const families: readonly (readonly [RegExp, Traits])[] = [
  [/claude-3-(opus|sonnet|haiku)/, traitsOf('none', 4096, 'both', false, [])],
  [/claude-3-5/, traitsOf('none', 8192, 'both', false, [])],
  [/claude-3-7/, traitsOf('budget', 64_000, 'both', false, [])],
  [/claude-opus-4-1/, traitsOf('budget', 32_000, 'one', true, [])],
  [/claude-(sonnet|haiku)-4-5/, traitsOf('budget', 64_000, 'one', true, [])],
  [/claude-opus-4-5/, traitsOf('budget', 64_000, 'one', true, three)],
  [/claude-opus-4-6/, traitsOf('either', 128_000, 'one', true, four)],
  [/claude-sonnet-4-6/, traitsOf('either', 64_000, 'one', true, four)],
  [/claude-opus-4($|-0|[-@]20)/, traitsOf('budget', 32_000, 'both', false, [])],
  [/claude-sonnet-4($|-0|[-@]20)/, traitsOf('budget', 64_000, 'both', false, [])],
  [/claude-/, traitsOf('adaptive', 128_000, 'none', true, five)],
];

const stranger = traitsOf('budget', undefined, 'both', true, []);

export function traits(model: string): Traits {
  return families.find(([name]) => name.test(model))?.[1] ?? stranger;
}
