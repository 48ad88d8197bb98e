// What tests of money stand on: a clock that moves when told, a folder in memory that can fail, callers and receipts.

import type { Budget } from '../src/budget/budget.ts';
import type { Live } from '../src/budget/ledger.ts';
import type { Caller } from '../src/exchange/caller.ts';
import type { BudgetRule } from '../src/exchange/policy.ts';
import type { Receipt } from '../src/exchange/receipt.ts';
import type { Target } from '../src/exchange/target.ts';
import { noUsage } from '../src/exchange/usage.ts';
import type { AppendFile, Clock, Log, SegmentFolder } from '../src/world/world.ts';

export interface ManualClock extends Clock {
  set(now: number): void;
  /** Runs what is due in this turn of the loop. */
  turn(): void;
  /** Moves on and runs the timers that come due. */
  pass(ms: number): void;
}

export function manualClock(start: number): ManualClock {
  let now = start;
  let soon: (() => void)[] = [];
  let timers: { at: number; every?: number; task: () => void }[] = [];
  const turn = (): void => {
    const due = soon;
    soon = [];
    for (const task of due) task();
  };
  const add = (timer: { at: number; every?: number; task: () => void }) => {
    timers.push(timer);
    return () => {
      timers = timers.filter((each) => each !== timer);
    };
  };
  return {
    now: () => now,
    monotonic: () => now,
    after: (ms, task) => add({ at: now + ms, task }),
    every: (ms, task) => add({ at: now + ms, every: ms, task }),
    soon: (task) => void soon.push(task),
    set: (at) => {
      now = at;
    },
    turn,
    pass(ms) {
      now += ms;
      turn();
      const due = timers.filter((timer) => timer.at <= now);
      timers = timers.filter((timer) => timer.at > now);
      for (const timer of due) {
        if (timer.every) add({ ...timer, at: now + timer.every });
        timer.task();
      }
      turn();
    },
  };
}

export interface MemoryFolder extends SegmentFolder {
  /** While set, every write throws, and every sync fails. */
  full: boolean;
  /** While set, syncs alone fail. */
  failsToSync: boolean;
  writes: number;
  syncs: number;
  /** A folder of its own with what is in this one now, as after the death of the process. */
  copy(): MemoryFolder;
}

export function memoryFolder(files: Map<string, Buffer[]> = new Map()): MemoryFolder {
  const read = (name: string): Buffer => {
    const bytes = Buffer.concat(files.get(name) ?? []);
    files.set(name, [bytes]);
    return bytes;
  };
  const folder: MemoryFolder = {
    full: false,
    failsToSync: false,
    writes: 0,
    syncs: 0,
    copy: () => memoryFolder(new Map([...files].map(([name, chunks]) => [name, [...chunks]]))),
    list: () => [...files.keys()].sort(),
    read: (name, bytes) => Buffer.from(read(name).subarray(0, bytes)),
    remove: (name) => void files.delete(name),
    truncate: (name, size) => void files.set(name, [read(name).subarray(0, size)]),
    open(name): AppendFile {
      if (!files.has(name)) files.set(name, []);
      let size = read(name).length;
      return {
        name,
        get size() {
          return size;
        },
        write(bytes) {
          if (folder.full) throw new Error('ENOSPC: no space left on device');
          folder.writes += 1;
          files.get(name)?.push(Buffer.from(bytes));
          size += bytes.length;
        },
        async sync() {
          if (folder.full || folder.failsToSync) throw new Error('EIO');
          folder.syncs += 1;
        },
        close: () => undefined,
      };
    },
  };
  return folder;
}

/** A close, and the end of the turn of the loop in which it is written. */
export function closing(budget: Pick<Budget, 'close'>, clock: ManualClock): Budget['close'] {
  return (hold, receipt) => {
    budget.close(hold, receipt);
    clock.turn();
  };
}

/** For ledgers that are the sole owners of their accounts: they never have to ask for money first. */
export function atOnce<Value>(value: Value | Promise<Value>): Value {
  if (value instanceof Promise) throw new Error('a sole owner made its caller wait');
  return value;
}

/** Budgets and callers that stay as they are. */
export function still(budgets: readonly BudgetRule[]): Live {
  return { budgets: () => budgets, caller: (known) => known };
}

export const quiet: Log = { debugs: false, debug() {}, info() {}, warn() {}, error() {} };

export function caller(keyId: string, more: Partial<Caller> = {}): Caller {
  return { keyId, keyName: `name of ${keyId}`, allowedModels: [], scopes: ['global', `key:${keyId}`], ...more };
}

export function target(provider: string, model: string): Target {
  const timeouts = { connect: 1, firstByte: 1, idle: 1, total: 1 };
  return {
    provider: {
      name: provider,
      format: 'openai-chat',
      baseUrl: 'sim:',
      auth: 'none',
      keys: [],
      headers: {},
      catalogue: provider,
      billing: { mode: 'strict', abortStops: true, lowWater: 64 },
      tier: 'community',
      quirks: [],
      owns: [],
      trust: 'config',
      timeouts,
      settings: {},
    },
    model,
    timeouts,
  };
}

export function rule(scope: string, limit: number, per: BudgetRule['per'] = 'day', timezone = 'UTC'): BudgetRule {
  return { scope, limit, per, timezone, alertAt: [] };
}

export function receipt(id: string, cost: number, more: Partial<Receipt> = {}): Receipt {
  const provider = more.provider ?? 'sim';
  const model = more.model ?? 'small';
  const usage = { ...noUsage(), input: 10, output: 5 };
  return {
    id,
    at: 0,
    keyId: 'k1',
    scopes: ['global', 'key:k1'],
    format: 'openai-chat',
    asked: 'small',
    provider,
    model,
    rule: '',
    stream: false,
    ending: 'completed',
    status: 200,
    code: '',
    charges: [{ attempt: 1, provider, model, usage, cost, priceVersion: 'test', status: 200 }],
    cost,
    saved: 0,
    estimated: false,
    dropped: [],
    tags: {},
    cache: 'off',
    durationMs: 12,
    firstByteMs: 5,
    overheadMs: 0.4,
    ...more,
  };
}
