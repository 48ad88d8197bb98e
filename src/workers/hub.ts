// What workers say to each other passes here, in the parent: news to all others, questions to all others, orders to all.

import type { ChildProcess } from 'node:child_process';
import { isOurs, type ToParent, type ToWorker } from './messages.ts';

export interface Hub {
  attach(worker: number, channel: Pick<ChildProcess, 'send' | 'on'>, ready: (ports: readonly number[]) => void): void;
  detach(worker: number): void;
  order(order: 'stop' | 'reload'): void;
}

/** Who has not answered by then is silent. */
const patienceMs = 2_000;
/** Questions under way, of all workers together; one more is answered by nobody. */
const gatheringMax = 1_000;

interface Gathering {
  readonly waiting: Set<number>;
  readonly replies: { worker: number; answer: unknown }[];
  finish(): void;
}

export function createHub(): Hub {
  const channels = new Map<number, Pick<ChildProcess, 'send' | 'on'>>();
  const gatherings = new Map<number, Gathering>();
  let last = 0;

  const send = (worker: number, message: ToWorker): void => void channels.get(worker)?.send?.(message, () => undefined);
  const othersThan = (worker: number): number[] => [...channels.keys()].filter((other) => other !== worker);

  const gather = (asker: number, message: Extract<ToParent, { gather: unknown }>): void => {
    last += 1;
    const own = last;
    const others = othersThan(asker);
    const waiting = new Set(gatherings.size < gatheringMax ? others : []);
    const gathering: Gathering = {
      waiting,
      replies: [],
      finish() {
        clearTimeout(timer);
        gatherings.delete(own);
        const { replies } = gathering;
        const silent = others.filter((other) => !replies.some(({ worker }) => worker === other));
        send(asker, { workers: true, gathered: { replies, silent }, number: message.number });
      },
    };
    const timer = setTimeout(gathering.finish, patienceMs);
    gatherings.set(own, gathering);
    for (const other of waiting) send(other, { workers: true, question: message.gather, number: own });
    if (waiting.size === 0) gathering.finish();
  };
  const settle = (gathering: Gathering, worker: number): void => {
    if (gathering.waiting.delete(worker) && gathering.waiting.size === 0) gathering.finish();
  };

  return {
    attach(worker, channel, ready) {
      channels.set(worker, channel);
      channel.on('message', (received: unknown) => {
        if (!isOurs(received)) return;
        const message = received as ToParent;
        if ('ready' in message) ready(message.ready);
        else if ('news' in message)
          for (const other of othersThan(worker)) send(other, { workers: true, news: message.news });
        else if ('gather' in message) gather(worker, message);
        else {
          const gathering = gatherings.get(message.number);
          if (!gathering?.waiting.has(worker)) return;
          gathering.replies.push({ worker, answer: message.reply });
          settle(gathering, worker);
        }
      });
    },
    detach(worker) {
      channels.delete(worker);
      for (const gathering of [...gatherings.values()]) settle(gathering, worker);
    },
    order(order) {
      for (const worker of channels.keys()) send(worker, { workers: true, order });
    },
  };
}
