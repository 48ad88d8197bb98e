// The room's door: where a target's request goes, with which credentials, and what a provider wants different in it.

import { Refusal } from '../exchange/refusal.ts';
import type { Provider, Target, Timeouts } from '../exchange/target.ts';
import type { World } from '../world/world.ts';
import { adjustBody } from './body.ts';
import { wholeAnswerFactor } from './default-timeouts.ts';
import { createGoogleTokens } from './google-token.ts';
import { pathOf } from './path.ts';

export interface Address {
  /** Scheme, host and port; `sim:` is the built-in provider. */
  readonly origin: string;
  readonly path: string;
  /** Lower case, credentials included: never logged. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeouts: Timeouts;
}

export interface Providers {
  /** Throws `Refusal`: `invalid_request` for a model name that cannot be sent, `upstream_error` without a credential. */
  address(target: Target, stream: boolean): Address;
  /** Undefined where there is nothing to wait for; else resolves once `address` has its token. Rejects with `Refusal`. */
  prepare(target: Target): Promise<void> | undefined;
  /** The body in this provider's dialect; the same object where nothing differs. */
  adjust(target: Target, body: Buffer | string): Buffer | string;
}

/** What of an address depends on the provider alone, worked out once. */
interface Known {
  readonly origin: string;
  readonly base: string;
  /** By key, then by stream: a request costs no header object of its own. */
  readonly headers: readonly (readonly [whole: Record<string, string>, stream: Record<string, string>])[];
  turn: number;
}

export function createProviders(world: Pick<World, 'clock' | 'network' | 'log'>): Providers {
  const tokens = createGoogleTokens(world);
  const known = new WeakMap<Provider, Known>();

  function knownOf(provider: Provider): Known {
    let one = known.get(provider);
    if (!one) {
      one = know(provider);
      known.set(provider, one);
    }
    return one;
  }

  function headersOf(provider: Provider, one: Known, stream: boolean): Readonly<Record<string, string>> {
    const { headers } = one;
    one.turn = (one.turn + 1) % headers.length;
    const fixed = headers[one.turn]?.[stream ? 1 : 0];
    if (!fixed) {
      throw new Refusal('upstream_error', `Provider ${provider.name} has no API key configured.`);
    }
    if (provider.auth !== 'google-token') return fixed;
    const token = tokens.current(provider);
    if (token === undefined) throw new Refusal('upstream_error', `Provider ${provider.name} has no access token.`);
    return { ...fixed, authorization: `Bearer ${token}` };
  }

  return {
    address(target, stream) {
      const one = knownOf(target.provider);
      return {
        origin: one.origin,
        path: pathOf(target, one.base, stream),
        headers: headersOf(target.provider, one, stream),
        timeouts: stream ? target.timeouts : forWholeAnswer(target.timeouts),
      };
    },
    prepare({ provider }) {
      return provider.auth === 'google-token' ? tokens.prepare(provider) : undefined;
    },
    adjust({ provider }, body) {
      return provider.quirks.length === 0 ? body : adjustBody(provider, body);
    },
  };
}

function know(provider: Provider): Known {
  const credentials = credentialsOf(provider);
  const headers = credentials.map((credential) => {
    // Identity: a compressed stream is held back by its compressor, and every byte here has to be read.
    const base = { 'content-type': 'application/json', 'accept-encoding': 'identity', 'user-agent': 'tollgate' };
    const all = { ...base, ...provider.headers, ...credential };
    return [
      { accept: 'application/json', ...all },
      { accept: 'text/event-stream', ...all },
    ] as const;
  });
  if (provider.baseUrl === 'sim:') return { origin: 'sim:', base: '', headers, turn: -1 };
  const url = new URL(provider.baseUrl);
  return { origin: url.origin, base: url.pathname.replace(/\/+$/, ''), headers, turn: -1 };
}

function credentialsOf({ auth, keys }: Provider): Record<string, string>[] {
  if (auth === 'none' || auth === 'google-token') return [{}];
  return keys.map((key) =>
    auth === 'bearer' ? { authorization: `Bearer ${key.reveal()}` } : { [auth]: key.reveal() },
  );
}

function forWholeAnswer(timeouts: Timeouts): Timeouts {
  return { ...timeouts, firstByte: Math.min(timeouts.total, timeouts.firstByte * wholeAnswerFactor) };
}
