// What every instance must hear of within a second: kills, and changes of what the store holds.

/** `kill` cuts what runs; it keeps nobody from coming again (revoking a key does). */
export type Signal =
  | { readonly kind: 'kill'; readonly what: 'request' | 'run' | 'key'; readonly id: string }
  /** Read these again. */
  | { readonly kind: 'changed'; readonly what: 'keys' | 'budgets' | 'units' };

export interface Signals {
  /** Resolves once every instance that can be reached will hear of it, this one included. Rejects where that is not sure. */
  send(signal: Signal): Promise<void>;
  listen(listener: (signal: Signal) => void): void;
}
