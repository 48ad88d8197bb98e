// The rooms by their doors, as the request's life sees them. `gateway.ts` builds them once.

import type { Budget } from './budget/budget.ts';
import type { Call } from './call/call.ts';
import type { Snapshot } from './exchange/policy.ts';
import type { Prices } from './exchange/rate.ts';
import type { Identify } from './identify/identify.ts';
import type { Limit } from './limit/limit.ts';
import type { Providers } from './providers/providers.ts';
import type { Recorder } from './record/record.ts';
import type { Route } from './route/route.ts';
import type { Stream } from './stream/stream.ts';
import type * as translate from './translate/translate.ts';
import type { World } from './world/world.ts';

export interface Rooms {
  readonly world: Pick<World, 'clock' | 'log'>;
  readonly identify: Identify;
  readonly limit: Limit;
  readonly prices: Prices;
  readonly budget: Budget;
  readonly route: Route;
  readonly translate: typeof translate;
  readonly providers: Providers;
  readonly call: Call;
  readonly stream: Stream;
  readonly record: Recorder;
  /** The policy of this moment; an exchange takes it once. */
  policy(): Snapshot;
}
