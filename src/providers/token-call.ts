// One call to a token endpoint through the network port, bounded in size and time.

import { Buffer } from 'node:buffer';
import type { TokenRequest } from '../exchange/wire.ts';
import type { World } from '../world/world.ts';

export interface TokenAnswer {
  readonly token: string;
  readonly lifetimeMs: number;
}

const maxBytes = 65_536;

/** Rejects with an `Error` whose message says why in words that hold no secret. */
export function fetchToken(world: Pick<World, 'clock' | 'network'>, request: TokenRequest): Promise<TokenAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let status = 0;
    let over = false;
    const finish = (settle: () => void): void => {
      if (over) return;
      over = true;
      cancelClock();
      settle();
    };
    const cancelClock = world.clock.after(request.timeouts.total, () => {
      finish(() => reject(new Error(`the token endpoint did not answer within ${request.timeouts.total / 1000} s`)));
      handle.abort();
    });
    const handle = world.network.dispatch(request, {
      start(answered) {
        status = answered;
      },
      data(chunk) {
        size += chunk.length;
        if (size <= maxBytes) {
          chunks.push(chunk);
          return;
        }
        finish(() => reject(new Error('the token endpoint sent too much')));
        handle.abort();
      },
      end() {
        finish(() => {
          const answer = read(status, Buffer.concat(chunks).toString('utf8'));
          if (answer instanceof Error) reject(answer);
          else resolve(answer);
        });
      },
      fail(failure) {
        finish(() => reject(new Error(`the token endpoint could not be asked (${failure.message})`)));
      },
    });
  });
}

function read(status: number, text: string): TokenAnswer | Error {
  let body: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) body = parsed as Record<string, unknown>;
  } catch {
    return new Error(`the token endpoint answered ${status} without JSON`);
  }
  const { access_token: token, expires_in: lifetimeS, error, error_description: description } = body;
  if (status !== 200) {
    const words = [error, description].filter((word) => typeof word === 'string').join(': ');
    return new Error(`the token endpoint answered ${status}${words ? ` (${words.slice(0, 200)})` : ''}`);
  }
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) return new Error('the token endpoint sent no token');
  return { token, lifetimeMs: typeof lifetimeS === 'number' && lifetimeS > 0 ? lifetimeS * 1000 : 300_000 };
}
