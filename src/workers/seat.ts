// One worker's place beside the others: its bank, what it tells and hears, and what it is asked, over node's channel.

import { type Channel, createWorkerBank } from '../bank/parent.ts';
import type { Bank } from '../exchange/bank.ts';
import type { Asked, News, Replies, Workmate } from '../exchange/workers.ts';
import { isOurs, type ToParent, type ToWorker } from './messages.ts';

export interface Seat extends Workmate {
  /** The parent's, of one machine's limits. */
  readonly bank: Bank;
  /** To all others; resolves once it is on its way. */
  tell(news: News): Promise<void>;
  hear(listener: (news: News) => void): void;
  /** How this worker answers what the others gather. */
  answerBy(answers: { readonly [What in keyof Asked]: () => Asked[What] }): void;
  /** On which the others serve: the data plane's, the control plane's where it has its own. None in the first. */
  readonly ports: readonly number[];
  /** It serves on these. */
  ready(ports: readonly number[]): void;
  onOrder(listener: (order: 'stop' | 'reload') => void): void;
}

/** `process` of a forked worker, as far as it is needed. */
export interface WorkerProcess extends Omit<Channel, 'send'> {
  send?(message: object, done: (error: Error | null) => void): unknown;
}

const nobody: Replies<never> = { replies: [], silent: [] };
/** The parent waits two seconds for the others. */
const gatherMs = 3_000;

export function takeSeat(
  channel: WorkerProcess,
  { number, count, ports }: Pick<Seat, 'number' | 'count' | 'ports'>,
): Seat {
  const heard: ((news: News) => void)[] = [];
  const orders: ((order: 'stop' | 'reload') => void)[] = [];
  const gathering = new Map<number, (replies: Replies<unknown>) => void>();
  let answers: Parameters<Seat['answerBy']>[0] | undefined;
  let last = 0;

  const send = (message: ToParent): Promise<void> =>
    new Promise((resolve, reject) => {
      if (!channel.send) return reject(new Error('there is no parent process'));
      channel.send(message, (error) => (error ? reject(error) : resolve()));
    });

  channel.on('message', (received) => {
    if (!isOurs(received)) return;
    const message = received as ToWorker;
    if ('order' in message) for (const listener of orders) listener(message.order);
    else if ('news' in message) for (const listener of heard) listener(message.news);
    else if ('gathered' in message) gathering.get(message.number)?.(message.gathered);
    else if (answers)
      void send({ workers: true, reply: answers[message.question](), number: message.number }).catch(() => undefined);
  });

  return {
    number,
    count,
    bank: createWorkerBank(channel),
    tell: (news) => send({ workers: true, news }),
    hear: (listener) => void heard.push(listener),
    async gather(what) {
      last += 1;
      const own = last;
      const { promise, resolve } = Promise.withResolvers<Replies<unknown>>();
      gathering.set(own, resolve);
      const timer = setTimeout(() => resolve(nobody), gatherMs);
      try {
        await send({ workers: true, gather: what, number: own });
        return (await promise) as Replies<never>;
      } catch {
        return nobody;
      } finally {
        clearTimeout(timer);
        gathering.delete(own);
      }
    },
    answerBy(given) {
      answers = given;
    },
    ports,
    ready: (own) => void send({ workers: true, ready: own }).catch(() => undefined),
    onOrder: (listener) => void orders.push(listener),
  };
}
