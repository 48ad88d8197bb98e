// What is in flight in this process, and the one way to end it from outside. Bounded by the exchanges that `listen` admits.

import { costOf, type Draft } from './exchange/draft.ts';
import type { Hold } from './exchange/hold.ts';
import type { NanoUsd } from './exchange/money.ts';
import { Refusal } from './exchange/refusal.ts';
import { createRoster, type Listed } from './exchange/roster.ts';
import type { Signal } from './exchange/signal.ts';
import type { Stop } from './exchange/stop.ts';

/** `reading` its body; `admitting` (rules and money); `waiting` for a provider; `draining`: the client has its ending. */
export type Phase = 'reading' | 'admitting' | 'waiting' | 'streaming' | 'draining';

export type Killable = Extract<Signal, { kind: 'kill' }>['what'];

/** One exchange as an operator sees it. */
export interface Running {
  readonly id: string;
  readonly keyId: string;
  readonly keyName: string;
  readonly run: string;
  readonly asked: string;
  /** Empty until it has a target. */
  readonly provider: string;
  readonly model: string;
  /** Epoch ms. */
  readonly startedAt: number;
  readonly stream: boolean;
  readonly phase: Phase;
  readonly attempts: number;
  /** Of output, received so far. */
  readonly characters: number;
  /** What it would be charged if it ended now. */
  readonly cost: NanoUsd;
  readonly held: NanoUsd;
}

export interface Progress {
  readonly characters: number;
  readonly cost: NanoUsd;
}

export class Flight implements Stop, Listed {
  seat = -1;
  readonly draft: Draft;
  readonly keyId: string;
  readonly keyName: string;
  run = '';
  phase: Phase = 'reading';
  hold: Hold | undefined;
  /** What the present attempt has cost beside the charges of the draft; asked when somebody looks. */
  progress: (() => Progress) | undefined;
  stopped: Refusal | undefined;
  #listener: ((refusal: Refusal) => void) | undefined;

  constructor(draft: Draft, keyId: string, keyName: string) {
    this.draft = draft;
    this.keyId = keyId;
    this.keyName = keyName;
  }

  onStop(listener: (refusal: Refusal) => void): void {
    if (this.stopped) listener(this.stopped);
    else this.#listener = listener;
  }

  /** The first reason counts; a second call ends what the first has left to be heard out. */
  stop(refusal: Refusal): void {
    this.stopped ??= refusal;
    this.#listener?.(refusal);
  }

  /** Throws why it was ended, where it was. */
  check(): void {
    if (this.stopped) throw this.stopped;
  }

  /** The same, or rejects as soon as the exchange is ended: for a wait that leaves nothing behind. */
  race<Value>(wait: Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      wait.then(resolve, reject);
      this.onStop(reject);
    });
  }

  running(): Running {
    const { id, at, asked, target, stream, attempts, charges } = this.draft;
    const { characters, cost } = this.progress?.() ?? { characters: 0, cost: 0 };
    return {
      id,
      keyId: this.keyId,
      keyName: this.keyName,
      run: this.run,
      asked: asked.slice(0, 256),
      provider: target?.provider.name ?? '',
      model: target?.model ?? '',
      startedAt: at,
      stream,
      phase: this.phase,
      attempts,
      characters,
      cost: costOf(charges) + cost,
      held: this.hold?.amount ?? 0,
    };
  }
}

export interface Inflight {
  enter(draft: Draft, keyId: string, keyName: string): Flight;
  leave(flight: Flight): void;
  /** Longest running first. */
  list(): Running[];
  /** How much runs here by this id, name of a run, or key. */
  count(what: Killable, id: string): number;
  /** Ends it. */
  kill(what: Killable, id: string): void;
  /** Ends everything. */
  stopAll(refusal: Refusal): void;
}

export function createInflight(): Inflight {
  const flights = createRoster<Flight>();

  // A walk over all of them, for the rare kill, instead of an index that every exchange would pay for.
  const named: Readonly<Record<Killable, (flight: Flight) => string>> = {
    request: ({ draft }) => draft.id,
    run: ({ run }) => run,
    key: ({ keyId }) => keyId,
  };
  const wanted = (what: Killable, id: string): Flight[] =>
    id === '' ? [] : flights.list().filter((flight) => named[what](flight) === id);

  return {
    enter(draft, keyId, keyName) {
      const flight = new Flight(draft, keyId, keyName);
      flights.add(flight);
      return flight;
    },
    leave: (flight) => flights.remove(flight),
    list: () =>
      flights
        .list()
        .toSorted((one, other) => one.draft.startedAt - other.draft.startedAt)
        .map((flight) => flight.running()),
    count: (what, id) => wanted(what, id).length,
    kill(what, id) {
      const why = what === 'request' ? 'this request' : `everything of this ${what}`;
      for (const flight of wanted(what, id)) flight.stop(new Refusal('killed', `An operator ended ${why}.`));
    },
    stopAll(refusal) {
      for (const flight of flights.list()) flight.stop(refusal);
    },
  };
}
