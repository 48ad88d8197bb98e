// Ledgers of several instances over one bank in a simulated world: clocks that differ, answers that are lost, instances
// that die and come back, limits that change, windows that end. Without sockets, so that a run of hours takes a moment.

import { createBook } from '../src/bank/book.ts';
import { type Budget, createBudget } from '../src/budget/budget.ts';
import { openJournal } from '../src/budget/journal.ts';
import { createCalendars, readWindowId } from '../src/budget/window.ts';
import type { Bank, SliceWant } from '../src/exchange/bank.ts';
import type { Caller, Period } from '../src/exchange/caller.ts';
import type { Hold } from '../src/exchange/hold.ts';
import { scanRows } from '../src/exchange/journal.ts';
import type { BudgetRule } from '../src/exchange/policy.ts';
import type { JournalRow } from '../src/exchange/receipt.ts';
import { Refusal } from '../src/exchange/refusal.ts';
import type { Target } from '../src/exchange/target.ts';
import type { Clock, Log } from '../src/world/world.ts';
import { caller, receipt, target } from '../test/ledger.ts';
import { type Chance, createChance } from './chance.ts';
import { createClock, type SimClock } from './clock.ts';
import { createFolder, type SimFolder } from './files.ts';

export interface LedgersOptions {
  readonly instances: number;
  /** Streams and answers in all. */
  readonly exchanges: number;
  /** They come within this time. */
  readonly withinMs: number;
  /** `edges`: all of them within a second of full minutes. */
  readonly arrivals: 'spread' | 'edges';
  readonly startsAt: number;
  readonly budgets: readonly BudgetRule[];
  /** Clocks of the instances differ from the bank's by up to this much. */
  readonly skewMs: number;
  /** Bank's answers take up to this long; one in so many is lost, as is one call in as many. */
  readonly delayMs: number;
  readonly lostOneIn: number;
  /** Deaths of instances, absences of the bank, changes of limits. */
  readonly crashes: number;
  readonly absences: number;
  readonly changes: number;
  /** More than it held is what one exchange in so many costs. */
  readonly dearOneIn: number;
}

/** What happened, as nobody inside can see it. */
export interface LedgersEvidence {
  readonly instances: readonly { readonly rows: readonly JournalRow[]; readonly budget: Budget }[];
  /** The true time at which each hold was taken, by the bank's clock, and what could be wrong with it. */
  readonly takenAt: ReadonlyMap<string, number>;
  readonly toleranceMs: number;
  readonly budgets: readonly BudgetRule[];
  /** By `scope window`: what the bank has given out, and of it was posted, once all have told it everything. */
  readonly given: ReadonlyMap<string, { readonly have: number; readonly posted: number }>;
  /** The highest limit that each rule had, in the order of `budgets`. */
  readonly limitsMax: readonly number[];
  readonly refused: ReadonlyMap<string, number>;
  readonly admitted: number;
  /** Epoch ms. */
  readonly endedAt: number;
  /** Nano-USD spent beyond what was held: no ledger can prevent it. */
  readonly beyondHolds: ReadonlyMap<string, number>;
}

export function ledgersWorld(seed: number, options: LedgersOptions): Promise<LedgersEvidence> {
  const chance = createChance(seed);
  const clock = createClock(options.startsAt);
  return new LedgersRun(chance, clock, options).run();
}

interface Instance {
  readonly name: string;
  readonly skewMs: number;
  folder: SimFolder;
  life: { alive: boolean };
  budget: Budget;
}

const keys: [Caller, ...Caller[]] = [caller('k1'), caller('k2'), caller('k3')];
const models: [Target, ...Target[]] = [target('one', 'm'), target('two', 'm')];
const silent: Log = { debugs: false, debug() {}, info() {}, warn() {}, error() {} };

class LedgersRun {
  readonly #chance: Chance;
  readonly #clock: SimClock;
  readonly #options: LedgersOptions;
  readonly #book;
  readonly #instances: Instance[] = [];
  readonly #takenAt = new Map<string, number>();
  readonly #refused = new Map<string, number>();
  readonly #beyond = new Map<string, number>();
  #budgets: readonly BudgetRule[];
  readonly #limitsMax: number[];
  #bankAway = false;
  #open = 0;
  #admitted = 0;

  constructor(chance: Chance, clock: SimClock, options: LedgersOptions) {
    this.#chance = chance;
    this.#clock = clock;
    this.#options = options;
    this.#budgets = options.budgets;
    this.#limitsMax = options.budgets.map(({ limit }) => limit);
    this.#book = createBook({ now: () => clock.now() });
  }

  async run(): Promise<LedgersEvidence> {
    const { instances, skewMs } = this.#options;
    for (let index = 0; index < instances; index++) {
      const skew = index === 0 ? 0 : this.#chance.below(2 * skewMs + 1) - skewMs;
      this.#instances.push(this.#begin(`i${index}`, skew, createFolder()));
    }
    this.#plan();
    const { withinMs } = this.#options;
    await this.#clock.run(withinMs * 3 + 600_000, () => this.#open === 0);
    // At rest: everybody tells the bank what they posted.
    this.#bankAway = false;
    await this.#clock.run(withinMs * 3 + 1_200_000, () => false);
    const evidence = await this.#evidence();
    for (const { budget } of this.#instances) budget.stop();
    return evidence;
  }

  #begin(name: string, skewMs: number, folder: SimFolder): Instance {
    const life = { alive: true };
    const clock = mortal(this.#clock, skewMs, life);
    const live = { budgets: () => this.#budgets, caller: (known: Caller) => known };
    const bank = { bank: this.#bankFor(life), instance: name };
    const budget = createBudget({ clock, log: silent }, openJournal(folder, clock, { segmentBytes: 20_000 }), {
      live,
      bank,
    });
    return { name, skewMs, folder, life, budget };
  }

  /** The bank as one process reaches it: late, sometimes not at all, and never after the process has died. */
  #bankFor(life: { alive: boolean }): Bank {
    const direct = this.#book.bank();
    const { delayMs, lostOneIn } = this.#options;
    const travel = async <Answer>(call: () => Promise<Answer>): Promise<Answer> => {
      await this.#pass(this.#chance.below(delayMs + 1));
      if (this.#bankAway || this.#chance.below(lostOneIn) === 0) throw new Error('the bank did not answer');
      const answer = await call();
      await this.#pass(this.#chance.below(delayMs + 1));
      if (this.#chance.below(lostOneIn) === 0) throw new Error('the answer was lost');
      return life.alive ? answer : new Promise<Answer>(() => undefined);
    };
    return {
      exchange: (ask) => travel(() => direct.exchange(ask)),
      enter: (instance, purses) => travel(() => direct.enter(instance, purses)),
      onRecall: (listener) =>
        direct.onRecall((purses) => {
          this.#clock.after(this.#chance.below(delayMs + 1), () => life.alive && listener(purses));
        }),
      close: () => direct.close(),
    };
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.after(ms, resolve));
  }

  #plan(): void {
    const { exchanges, withinMs, crashes, absences, changes } = this.#options;
    // One chain of arrivals, so that the queue stays short.
    const arrive = (number: number): void => {
      if (number >= exchanges) return;
      void this.#exchange(`e${number}`);
      this.#clock.after(this.#untilNext(number), () => arrive(number + 1));
    };
    this.#clock.after(0, () => arrive(0));
    for (let count = 0; count < crashes; count++) this.#clock.after(this.#chance.below(withinMs), () => this.#crash());
    for (let count = 0; count < absences; count++) {
      const from = this.#chance.below(withinMs);
      this.#clock.after(from, () => {
        this.#bankAway = true;
      });
      this.#clock.after(from + this.#chance.below(5_000), () => {
        this.#bankAway = false;
      });
    }
    for (let count = 0; count < changes; count++) {
      this.#clock.after(this.#chance.below(withinMs), () => {
        const which = this.#chance.below(this.#budgets.length);
        this.#budgets = this.#budgets.map((rule, index) =>
          index === which ? { ...rule, limit: Math.ceil(rule.limit * (0.5 + this.#chance.fraction())) } : rule,
        );
        this.#budgets.forEach(({ limit }, index) => {
          this.#limitsMax[index] = Math.max(this.#limitsMax[index] ?? 0, limit);
        });
      });
    }
  }

  #untilNext(number: number): number {
    const { exchanges, withinMs, arrivals } = this.#options;
    if (arrivals === 'spread') return (this.#chance.fraction() * 2 * withinMs) / exchanges;
    const edges = Math.floor(withinMs / 60_000);
    const each = Math.ceil(exchanges / edges);
    const now = this.#clock.now();
    const edge = Math.ceil((now - 1_000) / 60_000) * 60_000;
    // The last of one edge waits for the next.
    if (number % each === 0) return Math.max(0, edge + (now > edge ? 60_000 : 0) - 1_000 - now);
    return (this.#chance.fraction() * 2 * 2_000) / each;
  }

  async #exchange(id: string): Promise<void> {
    this.#open++;
    try {
      await this.#spend(id, this.#chance.pick(this.#instances as [Instance, ...Instance[]]));
    } finally {
      this.#open--;
    }
  }

  async #spend(id: string, instance: Instance): Promise<void> {
    const { life, budget } = instance;
    const chance = this.#chance;
    const amount = 1_000 + chance.below(50_000);
    let hold: Hold;
    try {
      const taken = budget.hold({
        id,
        caller: chance.pick(keys),
        target: chance.pick(models),
        amount,
        minimum: Math.ceil(amount / 4),
        budgets: this.#budgets,
        extra: chance.below(3) === 0 ? [{ scope: `run:r${chance.below(4)}` }] : [],
      });
      hold = taken instanceof Promise ? await taken : taken;
      if (!life.alive) return;
      this.#takenAt.set(id, this.#clock.now());
      await budget.written();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#refused.set(error.refusal, (this.#refused.get(error.refusal) ?? 0) + 1);
      return;
    }
    this.#admitted++;
    let cut = false;
    for (let more = chance.below(4); more > 0 && life.alive && !cut; more--) {
      await this.#pass(chance.below(1_500));
      if (!life.alive) return;
      const raised = budget.topUp(hold, 1 + chance.below(20_000));
      cut = !(raised instanceof Promise ? await raised : raised);
    }
    if (chance.below(8) === 0 && life.alive) {
      const moved = budget.move(hold, chance.pick(models), hold.amount + chance.below(5_000));
      if (moved instanceof Promise) await moved;
    }
    await this.#pass(chance.below(1_000));
    if (!life.alive) return;
    const dear = chance.below(this.#options.dearOneIn) === 0;
    const cost = dear ? hold.amount + chance.below(5_000) : chance.below(hold.amount + 1);
    if (dear) this.#beyond.set(id, cost - hold.amount);
    budget.close(hold, receipt(id, cost, { at: this.#clock.now() + instance.skewMs }));
  }

  #crash(): void {
    const index = this.#chance.below(this.#instances.length);
    const dead = this.#instances[index];
    if (!dead?.life.alive) return;
    dead.life.alive = false;
    dead.budget.stop();
    const folder = dead.folder.copy();
    const { name, skewMs } = dead;
    this.#clock.after(100 + this.#chance.below(3_000), () => {
      this.#instances[index] = this.#begin(name, skewMs, folder);
    });
  }

  async #evidence(): Promise<LedgersEvidence> {
    const instances = this.#instances.map(({ folder, budget }) => ({ rows: rowsOf(folder), budget }));
    return {
      instances,
      takenAt: this.#takenAt,
      // An answer tells the bank's time at some moment of its way: half the way is what can be wrong.
      toleranceMs: this.#options.delayMs + 1,
      budgets: this.#options.budgets,
      limitsMax: this.#limitsMax,
      given: await this.#probe(instances.flatMap(({ rows }) => rows)),
      refused: this.#refused,
      admitted: this.#admitted,
      endedAt: this.#clock.now(),
      beyondHolds: this.#beyond,
    };
  }

  /** Asks the bank, as one who wants nothing, for what it has given out of every purse that was ever used. */
  async #probe(rows: readonly JournalRow[]): Promise<Map<string, { have: number; posted: number }>> {
    const purses = new Map<string, SliceWant>();
    for (const row of rows) {
      if (row.type !== 'hold' && row.type !== 'adjust') continue;
      for (const { scope, window } of row.accounts ?? []) {
        const bounds = windowOf(window);
        const nothing = { limit: Number.MAX_SAFE_INTEGER, have: 0, posted: 0, need: 0, wish: 0 };
        purses.set(`${scope} ${window}`, { scope, window, ...bounds, ...nothing });
      }
    }
    const bank = this.#book.bank();
    const { number } = await bank.enter('probe', []);
    const { slices } = await bank.exchange({ instance: 'probe', number: number + 1, wants: [...purses.values()] });
    return new Map(
      slices.map(({ scope, window, available, posted }) => [
        `${scope} ${window}`,
        { have: Number.MAX_SAFE_INTEGER - available, posted },
      ]),
    );
  }
}

const calendarOf = createCalendars();

export function windowOf(id: string): { per: Period; startsAt: number; endsAt: number } {
  const { per, timezone, startsAt } = readWindowId(id) ?? { per: 'lifetime' as const, timezone: 'UTC', startsAt: 0 };
  return { per, startsAt, endsAt: calendarOf(per, timezone).at(startsAt).endsAt };
}

/** A clock of a process: it differs from the true one, and stops when the process dies. */
function mortal(clock: SimClock, skewMs: number, life: { alive: boolean }): Clock {
  const while_ = (task: () => void) => () => {
    if (life.alive) task();
  };
  return {
    now: () => clock.now() + skewMs,
    monotonic: clock.monotonic,
    after: (ms, task) => clock.after(ms, while_(task)),
    every: (ms, task) => clock.every(ms, while_(task)),
    soon: (task) => clock.soon(while_(task)),
  };
}

function rowsOf(folder: SimFolder): JournalRow[] {
  const rows: JournalRow[] = [];
  for (const name of folder.list()) scanRows(folder.read(name), 0, (row) => rows.push(row));
  return rows;
}

export function budgetRule(scope: string, limit: number, per: Period): BudgetRule {
  return { scope, limit, per, timezone: 'UTC', alertAt: [] };
}
