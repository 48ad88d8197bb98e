// Builds every room once and joins them: called by `main.ts` with the real world and by `sim/` with a seeded one.

import { type Budget, type BudgetOptions, createBudget } from './budget/budget.ts';
import type { Journal } from './budget/journal.ts';
import { createCall } from './call/call.ts';
import { type Simulate, withSim } from './call/sim-network.ts';
import type { KeyRecord } from './exchange/caller.ts';
import type { BudgetRule, Snapshot } from './exchange/policy.ts';
import type { Catalogue, Prices } from './exchange/rate.ts';
import { createIdentify, type Identify } from './identify/identify.ts';
import { createInflight, type Inflight } from './inflight.ts';
import { createLimit } from './limit/limit.ts';
import { createListen } from './listen/listen.ts';
import { createMeter } from './meter/meter.ts';
import { createPipeline } from './pipeline.ts';
import { createPrices } from './price/price.ts';
import { createProviders, type Providers } from './providers/providers.ts';
import { createRecord, type Recorder } from './record/record.ts';
import { sendRefusal } from './refuse.ts';
import type { Rooms } from './rooms.ts';
import { createRoute, type Route } from './route/route.ts';
import { createStream, type StreamOptions } from './stream/stream.ts';
import * as translate from './translate/translate.ts';
import type { InboundListener, World } from './world/world.ts';

export interface GatewayParts {
  readonly policy: () => Snapshot;
  readonly catalogue: Catalogue;
  /** Every provider that could be configured, for the message that says what to set. */
  readonly known: Parameters<typeof createRoute>[3];
  readonly journal: Journal;
  readonly pepper: Buffer;
  readonly keys: readonly KeyRecord[];
  /** False while keys may exist that are not known here; always true where unset. */
  readonly surelyKnown?: () => boolean;
  /** The budgets of this moment; the same array until one changes. */
  readonly budgets: () => readonly BudgetRule[];
  /** Where several instances spend from the same limits. */
  readonly bank?: BudgetOptions['bank'];
  readonly simulate: Simulate;
  readonly loopDelayMs: () => number;
  readonly bounds?: Partial<Bounds>;
}

/** Every bound of the data plane, with the default of each. */
export interface Bounds extends StreamOptions {
  readonly bodyBytes: number;
  readonly allBodiesBytes: number;
  readonly exchanges: number;
  readonly shedDelayMs: number;
}

const defaultBounds: Bounds = {
  bodyBytes: 10_000_000,
  allBodiesBytes: 256_000_000,
  exchanges: 20_000,
  shedDelayMs: 1_000,
  answerBytes: 64_000_000,
  eventBytes: 6_000_000,
  errorBytes: 262_144,
  preambleBytes: 262_144,
  heartbeatMs: 15_000,
  stalledMs: 60_000,
  drains: 50,
  drainBytes: 16_000_000,
  drainMs: 120_000,
};

export interface Gateway {
  /** The data plane. */
  readonly listener: InboundListener;
  readonly identify: Identify;
  readonly budget: Budget;
  readonly prices: Prices;
  readonly route: Route;
  readonly record: Recorder;
  readonly providers: Providers;
  readonly running: Inflight;
  inflight(): number;
  /** Refuses what is new and waits for what runs. */
  drain(): Promise<void>;
  /** Stops the sweeps. */
  stop(): void;
}

export function assemble(world: World, parts: GatewayParts): Gateway {
  const bounds = { ...defaultBounds, ...parts.bounds };
  const network = withSim(world.clock, world.network, parts.simulate);
  const prices = createPrices(parts.catalogue);
  const identify = createIdentify(parts.pepper, world.clock, parts.keys, [], parts.surelyKnown);
  const rooms: Rooms = {
    world,
    identify,
    limit: createLimit(world.clock),
    prices,
    budget: createBudget(world, parts.journal, {
      live: { budgets: parts.budgets, caller: identify.current },
      ...(parts.bank ? { bank: parts.bank } : {}),
    }),
    route: createRoute(world.clock, world.random, prices, parts.known),
    translate,
    providers: createProviders({ ...world, network }),
    call: createCall(world.clock, network),
    stream: createStream(world.clock, bounds),
    meter: createMeter(world.clock),
    record: createRecord(world),
    inflight: createInflight(),
    policy: parts.policy,
    budgets: parts.budgets,
  };
  const listen = createListen(world, {
    ...bounds,
    loopDelayMs: parts.loopDelayMs,
    handle: createPipeline(rooms),
    refuse(refusal, format, reply, requestId) {
      rooms.record.refused(refusal.refusal);
      sendRefusal(refusal, translate.codecs, { format }, reply, requestId);
    },
  });
  return {
    ...rooms,
    listener: listen.listener,
    running: rooms.inflight,
    inflight: listen.inflight,
    drain: listen.drain,
    stop() {
      listen.stop();
      rooms.call.stop();
      rooms.stream.stop();
      rooms.budget.stop();
      rooms.meter.stop();
    },
  };
}
