// Fetches a price feed through the network port: https, public addresses only, no redirect, bounded in size and time.

import { Buffer } from 'node:buffer';
import type { Clock, Network } from '../world/world.ts';
import { FeedError, feedMaxBytes } from './feed.ts';

const timeouts = { connect: 5_000, firstByte: 10_000, idle: 10_000, total: 30_000 };

/** Rejects with `FeedError`. */
export function fetchFeed(world: { network: Network; clock: Pick<Clock, 'after'> }, address: string): Promise<string> {
  const url = URL.parse(address);
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '')
    return Promise.reject(new FeedError('its address must be https://…, without credentials'));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let [size, status, over] = [0, 0, false];
    const finish = (settle: () => void): void => {
      if (over) return;
      over = true;
      cancelClock();
      settle();
    };
    const refuse = (why: string): void => finish(() => reject(new FeedError(why)));
    const cancelClock = world.clock.after(timeouts.total, () => {
      refuse(`${url.host} did not send it within ${timeouts.total / 1000} s`);
      handle.abort();
    });
    const handle = world.network.dispatch(
      {
        method: 'GET',
        origin: url.origin,
        path: url.pathname + url.search,
        headers: { accept: 'application/json', 'user-agent': 'tollgate' },
        body: '',
        timeouts,
        trust: 'public',
      },
      {
        start(answered, headers) {
          status = answered;
          const length = Number(headers['content-length'] ?? 0);
          if (status === 200 && length <= feedMaxBytes) return;
          refuse(status === 200 ? `${url.host} would send ${length} bytes` : `${url.host} answered ${status}`);
          handle.abort();
        },
        data(chunk) {
          size += chunk.length;
          if (size <= feedMaxBytes) {
            chunks.push(chunk);
            return;
          }
          refuse(`${url.host} sent more than ${feedMaxBytes} bytes`);
          handle.abort();
        },
        end: () => finish(() => resolve(Buffer.concat(chunks).toString('utf8'))),
        fail: (failure) => refuse(`${url.host} could not be asked: ${failure.message}`),
      },
    );
  });
}
