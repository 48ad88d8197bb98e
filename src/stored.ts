// The store of an installation opened, with what this instance must know of it to serve: also while it is away.

import type { Settings } from './config/settings.ts';
import type { Signals } from './exchange/signal.ts';
import { followKnown, hasCopy, type KnownRecords } from './store/known.ts';
import { openStore, type Store } from './store/store.ts';
import { type DataFolder, newToken, StartError } from './world/real/data-folder.ts';
import type { Log } from './world/world.ts';

export interface Stored {
  readonly store: Store;
  /** Keys are hashed with it: instances that share a store share it too. */
  readonly pepper: Buffer;
  readonly known: KnownRecords;
}

/** Throws `StartError` where there is neither the store nor a copy of what it held. */
export async function openStored(
  storage: Settings['storage'],
  folder: DataFolder,
  log: Log,
  relay?: Signals,
): Promise<Stored> {
  const shared = storage.kind === 'postgres';
  const copy = folder.file('known.json');
  try {
    const store = await openStore({
      storage: shared ? { kind: 'postgres', url: storage.url.reveal() } : storage,
      journalFolder: folder.file('journal'),
      instance: folder.instance(),
      ...(relay ? { relay } : {}),
      mayBeAway: shared && hasCopy(copy),
      onTrouble: (reason) => log[reason ? 'error' : 'info']('store', { trouble: reason ?? 'over' }),
    });
    try {
      const own = folder.secret('pepper', () => newToken(''));
      const pepper = Buffer.from(shared ? await sharedPepper(store, folder, own) : own, 'utf8');
      const onTrouble = (reason: string): void => log.error('store_copy', { reason });
      const known = await followKnown({ store, ...(shared ? { copy } : {}), secret: pepper, onTrouble });
      return { store, pepper, known };
    } catch (error) {
      await store.close();
      throw error;
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const remedy = shared
      ? 'Check storage.url and that the database answers.'
      : 'It holds keys and budgets: restore it from a backup.';
    throw new StartError(`The store ${nameOf(storage)} cannot be opened: ${reason}. ${remedy}`);
  }
}

/** That of the first instance; kept here too, so that keys are known while the store is away. */
async function sharedPepper(store: Store, folder: DataFolder, own: string): Promise<string> {
  let value: string;
  try {
    value = await store.secret({ name: 'pepper', value: own });
  } catch {
    return folder.secret('shared-pepper', () => own);
  }
  if (folder.secret('shared-pepper', () => value) !== value) folder.keep('shared-pepper', value);
  return value;
}

/** Without user and password. */
function nameOf(storage: Settings['storage']): string {
  if (storage.kind === 'sqlite') return storage.file;
  const url = URL.parse(storage.url.reveal());
  return url ? `postgres://${url.host}${url.pathname}` : 'in PostgreSQL';
}
