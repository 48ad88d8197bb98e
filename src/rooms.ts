// What the request's life works with: the rooms by their doors, and the exchange on its way through them.

import type { Budget } from './budget/budget.ts';
import type { Call } from './call/call.ts';
import type { Caller } from './exchange/caller.ts';
import type { RequestBody } from './exchange/codec.ts';
import type { Draft } from './exchange/draft.ts';
import type { Hold, Scoped } from './exchange/hold.ts';
import type { Ingress } from './exchange/ingress.ts';
import type { Outline } from './exchange/outline.ts';
import type { BudgetRule, Snapshot } from './exchange/policy.ts';
import type { Prices } from './exchange/rate.ts';
import type { Plan } from './exchange/target.ts';
import type { Funds } from './funds.ts';
import type { Identify } from './identify/identify.ts';
import type { Flight, Inflight } from './inflight.ts';
import type { Entrance, Limit } from './limit/limit.ts';
import type { Asks } from './listen/asks.ts';
import type { Meter } from './meter/meter.ts';
import type { Providers } from './providers/providers.ts';
import type { Recorder } from './record/record.ts';
import type { Route } from './route/route.ts';
import type { Stream } from './stream/stream.ts';
import type * as translate from './translate/translate.ts';
import type { World } from './world/world.ts';

export interface Rooms {
  readonly world: Pick<World, 'clock' | 'log' | 'tokenizer'>;
  readonly identify: Identify;
  readonly limit: Limit;
  readonly prices: Prices;
  readonly budget: Budget;
  readonly route: Route;
  readonly translate: typeof translate;
  readonly providers: Providers;
  readonly call: Call;
  readonly stream: Stream;
  readonly meter: Meter;
  readonly record: Recorder;
  readonly inflight: Inflight;
  /** The policy of this moment; an exchange takes it once. */
  policy(): Snapshot;
  /** The budgets of this moment, of file and store together: the same array until one of them changes. */
  budgets(): readonly BudgetRule[];
}

/** One exchange once it is admitted: all that an attempt may look at. */
export interface Exchange {
  readonly ingress: Ingress;
  readonly draft: Draft;
  readonly caller: Caller;
  readonly asks: Asks;
  readonly policy: Snapshot;
  readonly request: RequestBody;
  readonly outline: Outline;
  readonly plan: Plan;
  readonly hold: Hold;
  /** Its place within the limits. */
  readonly entrance: Entrance;
  readonly flight: Flight;
  /** Writes the settlement; the first call counts. What the client sees last waits for the promise, never broken. */
  settle(): Promise<void> | undefined;
  /** The scopes that the request claims for itself. */
  readonly extra: readonly Scoped[];
  /** What the hold was made of; another one after each move of it. */
  funds: Funds;
}
