// Waits for slices: tries a movement of money again as the bank fills what it lacks, for as long as that may help.

import type { Lack, Leases, Obtained } from './leases.ts';
import type { Ledger } from './ledger.ts';

/** Others get so long to give back what they do not use, before anybody is refused. */
const recallMs = 300;
const againMs = 20;

/** Why a movement could not be made: nobody has the money, or nobody could be asked. */
export type Short = 'short' | 'away';

/** `attempt` makes the movement, at once and whole, or says what it lacks. */
export async function gather<Done>(
  { clock }: Pick<Ledger, 'clock'>,
  leases: Leases,
  first: readonly Lack[],
  attempt: () => Done | readonly Lack[],
): Promise<{ readonly done: Done } | Short> {
  const startedAt = clock.monotonic();
  for (let lacks = first; ; ) {
    const obtained = await leases.obtain(lacks);
    if (!leases.ready) return 'away';
    const tried = attempt();
    if (!isLacks(tried)) return { done: tried };
    if (obtained === 'away') return 'away';
    // The bank's clock may have shown another window than ours did: there nobody was asked yet.
    const elsewhere = tried.some(({ bucket }) => !lacks.some((before) => before.bucket === bucket));
    lacks = tried;
    if (elsewhere) continue;
    if (!mayHelp(obtained, lacks) || clock.monotonic() - startedAt >= recallMs) return 'short';
    await new Promise<void>((resolve) => void clock.after(againMs, resolve));
  }
}

function mayHelp(obtained: Obtained, lacks: readonly Lack[]): boolean {
  return obtained === 'recalling' || lacks.every(({ bucket }) => bucket.elsewhere.available > 0);
}

function isLacks<Done>(tried: Done | readonly Lack[]): tried is readonly Lack[] {
  return Array.isArray(tried);
}
