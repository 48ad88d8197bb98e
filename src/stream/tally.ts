// What has passed of one attempt, added up event by event.

import type { Glimpse } from '../exchange/codec.ts';
import type { Usage } from '../exchange/usage.ts';
import type { Passed } from './outcome.ts';

export class Tally {
  status = 0;
  characters = 0;
  usage: Usage | undefined;
  /** The provider came to its end, whoever heard it. */
  whole = false;
  #model: string | undefined;

  see(glimpse: Glimpse): void {
    this.characters += glimpse.characters;
    if (glimpse.usage) this.usage = glimpse.usage;
    if (glimpse.model) this.#model = glimpse.model;
    if (glimpse.ends) this.whole = true;
  }

  passed(): Passed {
    return {
      characters: this.characters,
      status: this.status,
      ...(this.usage === undefined ? {} : { usage: this.usage }),
      ...(this.#model === undefined ? {} : { model: this.#model }),
      ...(this.whole ? { whole: true } : {}),
    };
  }
}
