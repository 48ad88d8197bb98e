// The catalogue in force: read at start and on reload, replaced by an update that was looked at. The last good one stays.

import type { Snapshot } from '../exchange/policy.ts';
import type { Catalogue } from '../exchange/rate.ts';
import type { Clock, Log } from '../world/world.ts';
import { createCatalogue, type FeedCatalogue, loadCatalogue } from './catalogue.ts';
import { type Compared, type Difference, difference } from './catalogue-difference.ts';
import { checksumOf, readCatalogue, type StoredCatalogue, saveCatalogue, sourceName } from './catalogue-file.ts';
import { type Feed, parseFeed } from './feed.ts';
import { packagedFeed } from './packaged.ts';

export interface CatalogueState {
  readonly version: string;
  /** Where it came from: a URL, a file name, `packaged`. */
  readonly source: string;
  readonly appliedAt?: number;
  readonly checksum?: string;
  /** Why the file in the data folder is not the one in force. */
  readonly problem?: string;
}

export interface Proposal {
  readonly feed: Feed;
  readonly checksum: string;
  readonly difference: Difference;
}

/** Itself a catalogue: whoever holds it asks what is in force at that moment. */
export interface CatalogueKeeper extends Catalogue {
  state(): CatalogueState;
  /** The id of the row that prices a name: one for all names of a model. */
  rowOf(provider: string, model: string): string | undefined;
  /** Throws `FeedError` for what can never be taken. */
  propose(text: string, force: boolean): Promise<Proposal>;
  /** Stores it and puts it in force. Throws what the file system says; then nothing has changed. */
  apply(proposal: Proposal, source: string, force: boolean): void;
  /** Reads the file again (SIGHUP). A broken one changes nothing. */
  reload(): void;
}

export interface KeeperParts {
  /** The data folder. */
  readonly folder: string;
  readonly policy: () => Snapshot;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
}

interface InForce {
  readonly stored: StoredCatalogue | undefined;
  readonly catalogue: FeedCatalogue;
}

export function openCatalogue({ folder, policy, clock, log }: KeeperParts): CatalogueKeeper {
  let problem: string | undefined;
  let current = read();

  function read(): InForce {
    const found = readCatalogue(folder);
    problem = found.problem;
    const next = inForce(found.stored);
    if (problem !== undefined)
      log.error('catalogue_refused', { file: 'catalogue.json', reason: problem, kept: next.catalogue.version });
    return next;
  }

  function compared(): Compared {
    return { feed: current.stored?.feed ?? packagedFeed(), catalogue: current.catalogue };
  }

  return {
    get version() {
      return current.catalogue.version;
    },
    find: (provider, model, at) => current.catalogue.find(provider, model, at),
    models: (provider) => current.catalogue.models(provider),
    rowOf: (provider, model) => current.catalogue.rowOf(provider, model),
    state: () => ({
      version: current.catalogue.version,
      source: current.stored?.source ?? 'packaged',
      ...(current.stored ? { appliedAt: current.stored.appliedAt, checksum: current.stored.checksum } : {}),
      ...(problem === undefined ? {} : { problem }),
    }),
    async propose(text, force) {
      const feed = parseFeed(text, force);
      const checksum = checksumOf(feed);
      const after = { feed, catalogue: createCatalogue(feed, sourceName(checksum)) };
      const pause = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));
      return { feed, checksum, difference: await difference(compared(), after, inUse(policy()), clock.now(), pause) };
    },
    apply({ feed, checksum }, source, force) {
      const stored = { feed, checksum, source, appliedAt: clock.now(), forced: force };
      saveCatalogue(folder, stored);
      const before = current.catalogue.version;
      current = inForce(stored);
      problem = undefined;
      log.info('catalogue_updated', { from: before, to: current.catalogue.version, source });
    },
    reload() {
      const found = readCatalogue(folder);
      if (found.problem !== undefined) {
        problem = found.problem;
        log.error('catalogue_refused', { file: 'catalogue.json', reason: problem, kept: current.catalogue.version });
        return;
      }
      problem = undefined;
      if (found.stored?.checksum === current.stored?.checksum) return;
      const before = current.catalogue.version;
      current = inForce(found.stored);
      log.info('catalogue_updated', { from: before, to: current.catalogue.version, source: 'file' });
    },
  };
}

function inForce(stored: StoredCatalogue | undefined): InForce {
  return { stored, catalogue: stored ? createCatalogue(stored.feed, sourceName(stored.checksum)) : loadCatalogue() };
}

/** Models that aliases name, by the catalogue's provider id: what would stop to be served without a price. */
function inUse({ aliases }: Snapshot): string[] {
  const names = [...aliases.values()].flatMap(({ targets }) =>
    targets.map(({ provider, model }) => `${provider.catalogue}/${model}`),
  );
  return [...new Set(names)];
}
