// The bank of instances that share a database.

import type { Settings } from './config/settings.ts';
import type { Bank } from './exchange/bank.ts';
import type { Log } from './world/world.ts';

/** Undefined where the store is a file: what spends from its limits is on one machine. */
export async function sharedBank(storage: Settings['storage'], log: Log): Promise<(() => Bank) | undefined> {
  if (storage.kind === 'sqlite') return undefined;
  const { createPostgresBank } = await import('./bank/postgres.ts');
  return () =>
    createPostgresBank({
      url: storage.url.reveal(),
      onTrouble: (trouble) => log.warn('bank', { trouble }),
    });
}
