// What a scenario is given, and the few answers that all of them play.

import assert from 'node:assert/strict';
import type { Format } from '../../src/exchange/format.ts';
import type { Ask, Driver } from './driver.ts';
import type { Provider, Script } from './provider.ts';
import type { Said, Seen } from './script.ts';

export interface Place {
  readonly driver: Driver;
  readonly provider: Provider;
  readonly target: Target;
  /** How the library tries again by itself: not at all, as it likes, or counting aloud and stopping when told. */
  readonly tries: 'never' | 'alone' | 'told';
  /** Requests that the gateway has answered so far, refused ones among them. */
  answered(): Promise<number>;
}

/** A bare name, its price in the catalogue in USD a million tokens, and a name whose budget is spent. */
export interface Target {
  readonly format: Format;
  readonly model: string;
  readonly price: { readonly input: number; readonly output: number };
  readonly poorModel: string;
}

export interface Scenario {
  readonly name: string;
  /** Waits for a library's own pause before it tries again, which no provider format changes: run with the first alone. */
  readonly once?: boolean;
  run(place: Place): Promise<void>;
}

export const usage = { input: 120, output: 34 };
export const said = (value: Omit<Said, 'usage'>, counted: Said['usage'] = usage): Script => ({
  kind: 'said',
  said: { ...value, usage: counted },
});

/** The one request that reached the provider last. */
export function last(provider: Provider, count: number): Seen {
  assert.equal(provider.seen().length, count);
  const seen = provider.seen().at(-1);
  assert.ok(seen);
  return seen;
}

export const words = 'Grüezi! It is 18 °C in Zürich 🌦, “partly cloudy”.';
export const hello = (model: string): Ask => ({ model, turns: [{ role: 'user', text: 'Hello' }] });
