// The books of a data folder: each process that ever served from it has a journal of its own, and all must be right.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { workerNumbers, workersFolder } from '../../world/real/data-folder.ts';
import type { Costs } from './totals.ts';
import { type Pricing, type Standing, type Verified, verify } from './verify.ts';

export interface WholeQuestions {
  /** Of one worker; a gateway that is one process is the first. `workers` says how many there are. */
  standing(worker: number): Promise<Standing & { readonly workers?: number }>;
  costs(from: number | undefined): Promise<Costs>;
}

/** Every folder of journals below a data folder or a backup, the first process's first, each with its name there. */
export function journalsOf(dataFolder: string): { readonly worker: number; readonly name: string }[] {
  const more = workerNumbers(dataFolder).filter((number) => number > 1);
  const all = [
    { worker: 1, name: 'journal' },
    ...more.map((worker) => ({ worker, name: join(workersFolder, String(worker), 'journal') })),
  ];
  return all.filter(({ name }) => existsSync(join(dataFolder, name)));
}

/** As `verify`, of all journals. Those of workers that are no more are proved by their rows alone. */
export async function verifyAll(
  dataFolder: string,
  ask: WholeQuestions | undefined,
  pricing: Pricing,
): Promise<Verified> {
  const count = ask ? ((await ask.standing(1)).workers ?? 1) : 0;
  let whole: Verified | undefined;
  for (const { worker, name } of journalsOf(dataFolder)) {
    const questions = ask && worker <= count ? { standing: () => ask.standing(worker), costs: ask.costs } : undefined;
    const found = await verify(join(dataFolder, name), questions, pricing);
    whole = whole ? together(whole, found, worker) : found;
  }
  if (!whole) throw new Error(`there is no journal in ${dataFolder}`);
  return whole;
}

function together(one: Verified, other: Verified, worker: number): Verified {
  const sums = [
    'segments',
    'rows',
    'receipts',
    'corrections',
    'cost',
    'accounts',
    'open',
    'priced',
    'unpriced',
  ] as const;
  return {
    ...one,
    ...(Object.fromEntries(sums.map((name) => [name, one[name] + other[name]])) as Pick<
      Verified,
      (typeof sums)[number]
    >),
    ok: one.ok && other.ok,
    promises: one.promises.map((each, index) => ({
      ...each,
      differences: each.differences + (other.promises[index]?.differences ?? 0),
    })),
    differences: [
      ...one.differences,
      ...other.differences.map((each) => ({ ...each, what: `worker ${worker}: ${each.what}` })),
    ],
  };
}
