// A plain handle by which an exchange is ended from outside: by an operator, or because the process goes.

import type { Refusal } from './refusal.ts';

export interface Stop {
  /** Why it was ended, once it was. */
  readonly stopped: Refusal | undefined;
  /** Called when it is ended, at once where it is already; again where that is said again. The latest listener alone: one thing is waited for at a time. */
  onStop(listener: (refusal: Refusal) => void): void;
}
