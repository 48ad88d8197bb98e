// The prices that come with the product: the genai-prices package as data. Measured: import 40 ms, all providers 2 ms.

import { findProvider } from '@pydantic/genai-prices';
import type { Feed, FeedProvider } from './feed.ts';

/** Held to the installed package by a test. */
export const packageVersion = '0.1.8';

/** Every provider of the package, which can only be asked for by id; held to it by a test. */
export const packagedIds: readonly string[] = [
  'anthropic',
  'arcee',
  'avian',
  'aws',
  'azure',
  'baseten',
  'cerebras',
  'cloudflare',
  'cohere',
  'cursor',
  'deepseek',
  'doubleword',
  'fireworks',
  'github-copilot',
  'google',
  'groq',
  'huggingface_cerebras',
  'huggingface_fireworks-ai',
  'huggingface_groq',
  'huggingface_hyperbolic',
  'huggingface_nebius',
  'huggingface_novita',
  'huggingface_nscale',
  'huggingface_ovhcloud',
  'huggingface_publicai',
  'huggingface_sambanova',
  'huggingface_together',
  'minimax',
  'mistral',
  'modal',
  'moonshotai',
  'novita',
  'openai',
  'openrouter',
  'ovhcloud',
  'perplexity',
  'quicksilverpro',
  'together',
  'typesafe',
  'voyageai',
  'x-ai',
  'zai',
  'zhipuai',
];

/** Their rows, unchanged; made once. */
export function packagedFeed(): Feed {
  packaged ??= packagedIds.flatMap((id) => {
    // The package's own search would also take a name that merely contains the id.
    const row = findProvider({ providerId: id });
    return row?.id === id ? [row as FeedProvider] : [];
  });
  return packaged;
}

let packaged: Feed | undefined;
