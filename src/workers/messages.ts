// What the parent and its workers say to each other, beside the bank's messages on the same channel.

import type { Asked, News, Replies } from '../exchange/workers.ts';

export type ToParent = { readonly workers: true } & (
  | { readonly ready: readonly number[] }
  | { readonly news: News }
  | { readonly gather: keyof Asked; readonly number: number }
  | { readonly reply: unknown; readonly number: number }
);

export type ToWorker = { readonly workers: true } & (
  | { readonly order: 'stop' | 'reload' }
  | { readonly news: News }
  | { readonly question: keyof Asked; readonly number: number }
  | { readonly gathered: Replies<unknown>; readonly number: number }
);

/** Both ends are of one build: the mark is enough. */
export function isOurs(message: unknown): message is object {
  return typeof message === 'object' && message !== null && 'workers' in message;
}
