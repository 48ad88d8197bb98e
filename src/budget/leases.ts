// Where several instances spend from one limit: asks the bank for slices of it, keeps them filled, gives them back.

import { type Bank, type BankAnswer, EnterFirst, type SliceWant } from '../exchange/bank.ts';
import type { NanoUsd } from '../exchange/money.ts';
import type { World } from '../world/world.ts';
import { type Account, type Bucket, nextOf } from './accounts.ts';
import { freeOf, Holding } from './holding.ts';

/** A bucket that has less free than somebody needs. */
export interface Lack {
  readonly account: Account;
  readonly bucket: Bucket;
  readonly limit: NanoUsd;
  readonly amount: NanoUsd;
}

/** `asked`: look again. `recalling`: look again, and others have been asked to give back. `away`: nobody answered. */
export type Obtained = 'asked' | 'recalling' | 'away';

export interface Leases {
  /** The bank's clock, epoch ms, as far as it is known: windows begin and end by it. */
  now(): number;
  /** False until the bank was spoken to: nothing is known of its clock. */
  readonly ready: boolean;
  /** With no lacks it resolves once the bank has answered anything. */
  obtain(lacks: readonly Lack[]): Promise<Obtained>;
  /** Money was taken from a bucket: it is refilled in the background once half of it is gone. */
  taken(account: Account, bucket: Bucket, limit: NanoUsd): void;
  /** Gives back all that is free, since limits have changed. */
  release(): void;
  stop(): void;
}

const beatMs = 1_000;
/** How often an instance that asks for nothing says that it lives, and what it has posted. */
const reportMs = 5_000;
/** Wants of one call; more wait for the next. */
const wantsMax = 1_000;
/** The next window's slice is asked for this long before it begins, and up to as much again earlier. */
const aheadMs = 2_000;

interface Waiter {
  readonly lacks: readonly Lack[];
  resolve(obtained: Obtained): void;
}

export function createLeases(
  world: Pick<World, 'clock' | 'log'>,
  bank: Bank,
  instance: string,
  begun: readonly Account[],
): Leases {
  const { clock, log } = world;
  const holdings = new Map<Bucket, Holding>();
  const queue = new Set<Holding>();
  let waiters: Waiter[] = [];
  let offset = 0;
  let number = 0;
  let entered = false;
  let busy = false;
  let due = false;
  let away = false;
  let reportedAt = 0;
  let stopped = false;

  const holdingOf = (account: Account, bucket: Bucket, limit: NanoUsd): Holding => {
    let holding = holdings.get(bucket);
    if (!holding) {
      holding = new Holding(account, bucket, limit, clock.monotonic());
      holdings.set(bucket, holding);
    }
    holding.limit = limit;
    return holding;
  };

  const soon = (): void => {
    if (due || busy || stopped) return;
    due = true;
    clock.soon(() => {
      due = false;
      void ask();
    });
  };

  const ask = async (): Promise<void> => {
    if (busy || stopped) return;
    busy = true;
    const round = waiters;
    waiters = [];
    addNeeds(round);
    const sentAt = clock.now();
    let asked: Holding[] = [];
    try {
      if (!entered) await enter();
      asked = nextAsked();
      number += 1;
      const wants = asked.map((holding) => holding.want(clock.monotonic()));
      const answer = await bank.exchange({ instance, number, wants });
      take(asked, wants, answer, sentAt);
      if (away) log.info('bank_back', { instance });
      away = false;
      for (const { lacks, resolve } of round) resolve(lacks.some(isRecalled) ? 'recalling' : 'asked');
    } catch (error) {
      if (error instanceof EnterFirst) entered = false;
      if (!away) log.error('bank_away', { instance, error: String(error) });
      // Who is clamped to what is left is clamped to what is left here.
      if (!away) for (const { bucket } of holdings.values()) bucket.elsewhere = { ...bucket.elsewhere, available: 0 };
      away = true;
      for (const holding of asked) queue.add(holding);
      for (const { resolve } of round) resolve('away');
    }
    for (const holding of asked) if (holding.answered(clock.monotonic())) queue.add(holding);
    reportedAt = clock.monotonic();
    busy = false;
    if (waiters.length > 0 || (queue.size > 0 && !away)) soon();
  };

  const nextAsked = (): Holding[] => {
    const asked = [...queue].slice(0, wantsMax);
    for (const holding of asked) {
      queue.delete(holding);
      holding.ask();
    }
    return asked;
  };

  const addNeeds = (round: readonly Waiter[]): void => {
    for (const holding of queue) holding.need = 0;
    const amounts = new Map<Holding, NanoUsd>();
    for (const { lacks } of round) {
      for (const { account, bucket, limit, amount } of lacks) {
        const holding = holdingOf(account, bucket, limit);
        amounts.set(holding, (amounts.get(holding) ?? 0) + amount);
        queue.add(holding);
      }
    }
    for (const [holding, amount] of amounts) holding.need = Math.max(0, amount - holding.free);
  };

  const take = (asked: readonly Holding[], wants: readonly SliceWant[], answer: BankAnswer, sentAt: number): void => {
    offset = answer.now - Math.round((sentAt + clock.now()) / 2);
    asked.forEach((holding, index) => {
      const slice = answer.slices[index];
      const told = wants[index];
      if (slice && told) holding.take(told, slice, clock.monotonic());
    });
  };

  const isRecalled = ({ bucket, amount }: Lack): boolean =>
    holdings.get(bucket)?.recalling === true && freeOf(bucket) < amount;

  const enter = async (): Promise<void> => {
    const purses = [...holdings.values()].map((holding) => holding.entry(clock.monotonic()));
    const known = await bank.enter(instance, purses);
    number = known.number;
    offset = known.now - clock.now();
    entered = true;
    // What others have posted of it is known with the first answer.
    for (const holding of holdings.values()) queue.add(holding);
  };

  const giveBack = (holding: Holding): void => {
    if (holding.giveBack(clock.monotonic())) queue.add(holding);
  };

  bank.onRecall((purses) => {
    for (const { scope, window } of purses) {
      for (const holding of holdings.values()) {
        if (holding.bucket.scope !== scope || holding.bucket.window.id !== window) continue;
        giveBack(holding);
        // Also who has nothing says so: somebody waits for the answer.
        queue.add(holding);
      }
    }
    if (queue.size > 0) soon();
  });

  for (const account of begun) {
    const { bucket } = account;
    bucket.leased = bucket.posted + bucket.held;
    holdingOf(account, bucket, 0);
  }

  const stop = clock.every(beatMs, () => {
    const now = clock.now() + offset;
    for (const holding of holdings.values()) tend(holding, now);
    const silent = clock.monotonic() - reportedAt >= reportMs;
    if (!entered || silent) for (const holding of holdings.values()) if (holding.untold) queue.add(holding);
    if (!entered || silent || queue.size > 0) soon();
  });

  /** Looks ahead to the next window of a bucket in use, and closes one that is over. */
  const tend = (holding: Holding, now: number): void => {
    const { account, bucket, limit } = holding;
    const { endsAt } = bucket.window;
    if (now >= endsAt || account.forgotten) {
      if (bucket.held !== 0) return;
      if (holding.settled) holdings.delete(bucket);
      else {
        giveBack(holding);
        queue.add(holding);
      }
      return;
    }
    holding.measure(clock.monotonic());
    if (holding.rate === 0 || endsAt - now > aheadMs + jitterMs(instance, bucket.scope)) return;
    const next = nextOf(account);
    if (next.leased > 0 || holdings.has(next)) return;
    const ahead = holdingOf(account, next, limit);
    ahead.rate = holding.rate;
    queue.add(ahead);
  };

  soon();

  return {
    now: () => clock.now() + offset,
    get ready() {
      return entered;
    },
    obtain(lacks) {
      return new Promise((resolve) => {
        waiters.push({ lacks, resolve });
        soon();
      });
    },
    taken(account, bucket, limit) {
      const holding = holdingOf(account, bucket, limit);
      if (away || queue.has(holding) || !holding.isLow(clock.monotonic())) return;
      queue.add(holding);
      soon();
    },
    release() {
      for (const holding of holdings.values()) giveBack(holding);
      if (queue.size > 0) soon();
    },
    stop() {
      stopped = true;
      stop();
    },
  };
}

/** The same for one scope in one instance, different between them, so that not everybody asks in the same instant. */
function jitterMs(instance: string, scope: string): number {
  let sum = 0;
  for (const letter of instance + scope) sum = (sum * 31 + letter.charCodeAt(0)) % 2_000;
  return sum;
}
