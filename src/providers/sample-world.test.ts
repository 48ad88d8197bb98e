// A small world and the table's providers, for the tests of this folder.

import assert from 'node:assert/strict';
import { type Provider, Secret, type Target } from '../exchange/target.ts';
import type { CallHandler, TokenRequest } from '../exchange/wire.ts';
import type { World } from '../world/world.ts';
import { type ConfiguredProvider, readyProvider } from './ready.ts';
import { rows } from './table.ts';

type Small = Pick<World, 'clock' | 'network' | 'log'>;

/** A world with a clock that the test moves and a network that keeps what it was asked. */
export function world() {
  const asked: { request: TokenRequest; handler: CallHandler }[] = [];
  const timers: { at: number; task: () => void }[] = [];
  const logged: string[] = [];
  let now = 1_000_000;
  const log = (event: string, fields?: object) => void logged.push(JSON.stringify({ event, ...fields }));
  const small: Small = {
    clock: {
      now: () => now,
      monotonic: () => now,
      after: (ms, task) => {
        const timer = { at: now + ms, task };
        timers.push(timer);
        return () => timers.splice(timers.indexOf(timer), 1);
      },
      every: () => () => {},
      soon: (task) => task(),
    },
    network: {
      dispatch(request, handler) {
        asked.push({ request, handler });
        return { abort() {}, pause() {}, resume() {} };
      },
      close: () => Promise.resolve(),
    },
    log: { debugs: true, debug: log, info: log, warn: log, error: log },
  };
  const move = (ms: number) => {
    now += ms;
    for (const timer of timers.filter(({ at }) => at <= now)) timer.task();
  };
  return { small, asked, logged, move };
}

export function provider(name: string, configured: ConfiguredProvider = { keys: [new Secret('k-1')] }): Provider {
  return readyProvider(rows.find((row) => row.name === name) ?? assert.fail(name), configured);
}

export function target(of: Provider, model: string): Target {
  return { provider: of, model, timeouts: of.timeouts };
}

export const cloud = { settings: { project: 'p-1', location: 'us-east5' } };
