// The pure state of a bank in memory: who has how much of which purse. The parent process and the simulated world keep one.

import {
  type Bank,
  type BankAnswer,
  type BankAsk,
  EnterFirst,
  type Purse,
  type Slice,
  type SliceWant,
} from '../exchange/bank.ts';
import { createRecalls, type Recall } from './recalls.ts';
import {
  type BankRules,
  checkAsk,
  checkWants,
  defaultRules,
  entriesMax,
  grant,
  isKept,
  isOpen,
  lateError,
  numbersApart,
  purseKey,
} from './rules.ts';

export interface BookOptions {
  /** Epoch ms: windows begin and end by it. */
  readonly now: () => number;
  readonly rules?: Partial<BankRules>;
  /** Purses kept at a time; an ask for more is rejected. A million by default, some 300 bytes each. */
  readonly pursesMax?: number;
}

/** Throws where `Bank` rejects; the same otherwise, at once. */
export interface Book {
  /** `heard` is the newest recall that the asker knew of, one for each want; nothing is counted as answered without. */
  exchange(ask: BankAsk, heard?: readonly number[]): BankAnswer;
  enter(instance: string, purses: readonly SliceWant[]): { now: number; number: number };
  /** Told of each recall, with the instances that have something unspent of the purse. */
  onRecall(listener: (instance: string, recalls: readonly Recall[]) => void): void;
  /** The port of one instance; its calls are answered in the same turn of the loop. */
  bank(): Bank;
  /** Purses kept now. */
  readonly size: number;
}

interface BookSlice {
  have: number;
  posted: number;
  heard: number;
}

interface BookPurse extends Purse {
  readonly endsAt: number;
  /** Running sums over the slices. */
  given: number;
  posted: number;
  recalledAt: number;
  readonly slices: Map<string, BookSlice>;
}

interface Instance {
  number: number;
  seenAt: number;
}

/** Old windows are looked for at most this often. */
const sweepMs = 60_000;

export function createBook(options: BookOptions): Book {
  const { now: clock, pursesMax = entriesMax } = options;
  const rules = { ...defaultRules, ...options.rules };
  const purses = new Map<string, BookPurse>();
  const instances = new Map<string, Instance>();
  const listeners: ((instance: string, recalls: readonly Recall[]) => void)[] = [];
  let sweptAt = Number.NEGATIVE_INFINITY;

  const open = (want: SliceWant): BookPurse => {
    const key = purseKey(want);
    let purse = purses.get(key);
    if (!purse) {
      if (purses.size >= pursesMax)
        throw new Error(`the bank keeps ${pursesMax} purses, and has no place for one more`);
      const { scope, window, endsAt } = want;
      purse = { scope, window, endsAt, given: 0, posted: 0, recalledAt: 0, slices: new Map() };
      purses.set(key, purse);
    }
    return purse;
  };
  const sweep = (now: number): void => {
    if (now - sweptAt < sweepMs) return;
    sweptAt = now;
    for (const [key, purse] of purses) if (now > purse.endsAt + rules.forgetMs) purses.delete(key);
  };
  const countInstances = (now: number): number => {
    let count = 0;
    for (const { seenAt } of instances.values()) if (now - seenAt <= rules.seenLatelyMs) count += 1;
    return Math.max(1, count);
  };
  /** Who else has something unspent and was heard lately. */
  const holders = (purse: BookPurse, asker: string, now: number): [name: string, slice: BookSlice][] =>
    [...purse.slices].filter(([name, slice]) => {
      const seenAt = instances.get(name)?.seenAt ?? Number.NEGATIVE_INFINITY;
      return name !== asker && slice.have > slice.posted && now - seenAt <= rules.seenLatelyMs;
    });

  const book: Book = {
    exchange(ask, heard = []) {
      checkAsk(ask);
      const now = clock();
      const instance = instances.get(ask.instance);
      if (!instance) throw new EnterFirst(`the bank does not know the instance ${ask.instance}`);
      if (ask.number < instance.number) throw lateError(ask.instance);
      sweep(now);
      const again = ask.number === instance.number;
      const kept = ask.wants.map((want) => {
        if (again || !isKept(want, now, rules)) return purses.get(purseKey(want));
        return open(want);
      });
      instance.seenAt = now;
      const count = countInstances(now);
      const recalls = new Map<string, Recall[]>();
      const slices = ask.wants.map((want, index): Slice => {
        const purse = kept[index];
        const { scope, window } = want;
        // Too old, or too far ahead: nothing is given, and nothing taken.
        if (!purse) {
          const { have, posted } = again ? { have: 0, posted: 0 } : want;
          return { scope, window, have, available: 0, posted, recalling: false };
        }
        if (again) return show(purse, want, ask.instance, false);
        const slice = keep(purse, ask.instance, want.have, want.posted, heard[index] ?? 0);
        const given = isOpen(want, now, rules) ? grant(want, want.limit - purse.given, count) : 0;
        slice.have += given;
        purse.given += given;
        const short = isOpen(want, now, rules) && given < want.need;
        return show(purse, want, ask.instance, short && recall(purse, ask.instance, now, recalls));
      });
      instance.number = ask.number;
      for (const [name, list] of recalls) for (const listener of listeners) listener(name, list);
      return { now, instances: count, slices };
    },
    enter(name, entries) {
      checkWants(name, entries, entriesMax);
      const now = clock();
      sweep(now);
      const kept = entries.filter((want) => isKept(want, now, rules));
      for (const want of kept) open(want);
      // What it had of windows that are over stays spent: its journal may not tell of them any more.
      for (const purse of purses.values()) if (now < purse.endsAt) remove(purse, name);
      for (const want of kept) keep(open(want), name, want.have, want.posted, 0);
      const number = (instances.get(name)?.number ?? 0) + numbersApart;
      instances.set(name, { number, seenAt: now });
      return { now, number };
    },
    onRecall(listener) {
      listeners.push(listener);
    },
    bank: () => bankOf(book),
    get size() {
      return purses.size;
    },
  };

  /** Whether waiting may help; asks the others once in a while. */
  function recall(purse: BookPurse, asker: string, now: number, recalls: Map<string, Recall[]>): boolean {
    const others = holders(purse, asker, now);
    if (others.length > 0 && now - purse.recalledAt >= rules.recallAgainMs) {
      purse.recalledAt = now;
      for (const [name] of others) {
        const list = recalls.get(name) ?? [];
        recalls.set(name, list);
        list.push({ scope: purse.scope, window: purse.window, recalledAt: now });
      }
    }
    return others.some(([, slice]) => slice.heard < purse.recalledAt);
  }

  return book;
}

function keep(purse: BookPurse, instance: string, have: number, posted: number, heard: number): BookSlice {
  const slice = purse.slices.get(instance) ?? { have: 0, posted: 0, heard: 0 };
  purse.slices.set(instance, slice);
  purse.given += have - slice.have;
  purse.posted += posted - slice.posted;
  slice.have = have;
  slice.posted = posted;
  slice.heard = Math.max(slice.heard, heard);
  return slice;
}

function remove(purse: BookPurse, instance: string): void {
  const slice = purse.slices.get(instance);
  if (!slice) return;
  purse.given -= slice.have;
  purse.posted -= slice.posted;
  purse.slices.delete(instance);
}

function show(purse: BookPurse, want: SliceWant, instance: string, recalling: boolean): Slice {
  const { scope, window, given, posted } = purse;
  const have = purse.slices.get(instance)?.have ?? 0;
  return { scope, window, have, available: Math.max(0, want.limit - given), posted, recalling };
}

/** Listens for the instance whose name its calls bear. */
function bankOf(book: Book): Bank {
  const recalls = createRecalls();
  let self: string | undefined;
  book.onRecall((instance, list) => {
    if (instance === self) recalls.deliver(list);
  });
  return {
    async exchange(ask) {
      self = ask.instance;
      return book.exchange(ask, recalls.heard(ask.wants));
    },
    async enter(instance, purses) {
      self = instance;
      return book.enter(instance, purses);
    },
    onRecall: recalls.onRecall,
    close: () => Promise.resolve(),
  };
}
