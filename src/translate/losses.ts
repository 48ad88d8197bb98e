// Losses that several formats tell, and those of a stream: told once however often they happen, so that a long one gathers few.

import type { Loss } from '../exchange/prompt.ts';

/** Where an encoder reports; a plain list will do for a whole answer. */
export interface Losses {
  push(loss: Loss): void;
}

export function createLosses(): Losses & { readonly all: readonly Loss[] } {
  const all: Loss[] = [];
  const told = new Set<string>();
  return {
    all,
    push(loss) {
      const key = `${loss.how} ${loss.field} ${loss.note ?? ''}`;
      if (told.has(key)) return;
      told.add(key);
      all.push(loss);
    },
  };
}

/** A proof that we once gave this client to keep, and that no provider of its own format may be sent. */
export function foreignReasoning(field: string): Loss {
  return { field, how: 'dropped', note: 'reasoning of another provider' };
}
