// One installation opened: its data folder locked, journal read back, store caught up, rooms built. No socket yet.

import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { standing } from './admin/ledger.ts';
import type { AdminParts } from './admin/parts.ts';
import { openJournal } from './budget/journal.ts';
import { compactOften } from './compaction.ts';
import { type CatalogueKeeper, openCatalogue } from './config/catalogue-keeper.ts';
import type { Loaded } from './config/config.ts';
import { fetchFeed } from './config/fetch-feed.ts';
import type { Settings } from './config/settings.ts';
import type { Bank } from './exchange/bank.ts';
import type { Signals } from './exchange/signal.ts';
import { Secret } from './exchange/target.ts';
import { assemble, type Gateway } from './gateway.ts';
import { createLiveBudgets, type LiveBudgets } from './live.ts';
import { simulate } from './providers/sim.ts';
import { rows } from './providers/table.ts';
import { sharedBank } from './shared-bank.ts';
import type { Known, KnownRecords } from './store/known.ts';
import type { Store } from './store/store.ts';
import { openStored } from './stored.ts';
import { lock } from './workers/lock.ts';
import type { Seat } from './workers/seat.ts';
import { realClock } from './world/real/clock.ts';
import { type DataFolder, newToken, openDataFolder, workerFolder, workerNumbers } from './world/real/data-folder.ts';
import { createNetwork, type NetworkOptions } from './world/real/network.ts';
import { realRandom } from './world/real/random.ts';
import { openSegments } from './world/real/segments.ts';
import { loopDelay } from './world/real/server.ts';
import { createTokenizer } from './world/real/tokenizer.ts';
import type { Log, Network } from './world/world.ts';

export interface Installation {
  readonly gateway: Gateway;
  readonly store: Store;
  readonly folder: DataFolder;
  /** Keys, units and budgets, as the store has them now or had them when it was last there. */
  readonly known: KnownRecords;
  readonly live: LiveBudgets;
  /** What the control plane stands on. */
  readonly parts: AdminParts;
  /** Reads the stored price catalogue again; a broken one changes nothing. */
  reloadCatalogue(): void;
  close(): Promise<void>;
}

export interface InstallationOptions {
  /** The configuration of this moment. */
  readonly loaded: () => Loaded;
  readonly log: Log;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Why no request would be served now. */
  readonly notReady: () => readonly string[];
  /** Where several processes have the folder together; the parent holds its lock. */
  readonly seat?: Seat;
}

export const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Throws `StartError` where the folder cannot be written; resolves with undefined where another process has it. */
export async function openInstallation(options: InstallationOptions): Promise<Installation | undefined> {
  const { loaded, log, seat } = options;
  const { settings } = loaded();
  const whole = openDataFolder(settings.dataFolder);
  const folder = seat ? workerFolder(whole, seat.number) : whole;
  const release = lock(seat ? dirname(folder.file('lock')) : folder.path);
  if (!release) return undefined;
  const bank = seat && settings.storage.kind === 'sqlite' ? seat.bank : await ownBank(whole, settings, log, seat);

  const network = createNetwork(proxies(options.environment));
  const tokenizer = createTokenizer();
  const delay = loopDelay();
  const opening = openStored(settings.storage, folder, log, seat && relayOf(seat));
  const journal = openJournal(openSegments(folder.file('journal')), realClock, { ...settings.journal, log });
  const catalogue = openCatalogue({ folder: folder.path, policy: () => loaded().snapshot, clock: realClock, log });
  const { store, pepper, known } = await opening;
  const live = createLiveBudgets(() => loaded().snapshot.budgets, realClock.now, known.current().budgets);
  const gateway = assemble(
    { clock: realClock, random: realRandom, log, network, tokenizer },
    {
      policy: () => loaded().snapshot,
      budgets: live.rules,
      catalogue,
      known: rows,
      journal,
      pepper,
      keys: known.current().keys,
      surelyKnown: known.sure,
      ...(bank ? { bank: { bank, instance: folder.instance() } } : {}),
      simulate,
      loopDelayMs: delay.ms,
    },
  );
  const compacting = compactOften({ store, journal, keepMs: settings.journal.keepMs, clock: realClock, log });
  const renew = ({ units, keys, budgets }: Known): void => {
    gateway.identify.renew(units, keys);
    live.replace(budgets);
  };
  renew(known.current());
  known.listen(renew);
  store.signals.listen((signal) => {
    if (signal.kind === 'kill') gateway.running.kill(signal.what, signal.id);
  });
  seat?.hear((news) => {
    if (news.kind === 'catalogue') catalogue.reload();
  });
  const token = settings.adminToken ?? new Secret(folder.secret('admin-token', () => newToken('tga-')));
  const parts: AdminParts = {
    ...adminParts(options, { gateway, store, token, live, bank }),
    catalogue: adminCatalogue(catalogue, network, seat),
    ...(seat ? { workers: seat } : {}),
  };
  seat?.answerBy({
    inflight: gateway.running.list,
    metrics: parts.metrics,
    ledger: () => standing(parts),
  });

  return {
    gateway,
    store,
    folder,
    known,
    live,
    parts,
    reloadCatalogue: catalogue.reload,
    async close() {
      compacting();
      gateway.stop();
      delay.stop();
      await tokenizer.close();
      await network.close();
      await bank?.close();
      await journal.close();
      await known.close();
      await store.close();
      release();
    },
  };
}

/**
 * Money is shared where the store is; the sole owner of a file needs no bank, unless other processes wrote journals here
 * before: what those have spent counts.
 */
async function ownBank(whole: DataFolder, settings: Settings, log: Log, seat?: Seat): Promise<Bank | undefined> {
  const shared = await sharedBank(settings.storage, log);
  const others = seat ? [] : workerNumbers(whole.path).filter((number) => number > 1);
  if (others.length === 0) return shared?.();
  const { createBook } = await import('./bank/book.ts');
  const { enterJournals } = await import('./workers/open-folder.ts');
  const book = createBook({ now: realClock.now });
  await enterJournals(whole, others, 1, { bank: shared ?? (() => book.bank()), settings, log });
  return shared?.() ?? (book.size > 0 ? book.bank() : undefined);
}

/** SQLite tells nobody of a change: what one worker saves the others hear of by way of the parent. */
function relayOf(seat: Seat): Signals {
  return {
    send: seat.tell,
    listen: (listener) =>
      seat.hear((news) => {
        if (news.kind !== 'catalogue') listener(news);
      }),
  };
}

function adminCatalogue(keeper: CatalogueKeeper, network: Network, seat?: Seat): AdminParts['catalogue'] {
  const { state, propose, rowOf } = keeper;
  return {
    state,
    propose,
    rowOf,
    apply(...given) {
      keeper.apply(...given);
      seat?.tell({ kind: 'catalogue' }).catch(() => undefined);
    },
    fetch: (address) => fetchFeed({ network, clock: realClock }, address),
  };
}

function adminParts(
  { loaded, log, notReady }: InstallationOptions,
  {
    gateway,
    store,
    token,
    live,
    bank,
  }: Pick<Installation, 'gateway' | 'store' | 'live'> & {
    token: Secret;
    bank: Bank | undefined;
  },
): Omit<AdminParts, 'catalogue'> {
  const balances = () => gateway.budget.balances(live.rules());
  return {
    token,
    metricsAccess: loaded().settings.metrics,
    identify: gateway.identify,
    store,
    prices: gateway.prices,
    inflight: {
      elsewhere: loaded().settings.storage.kind !== 'sqlite',
      list: gateway.running.list,
      async kill(what, id) {
        const here = gateway.running.count(what, id);
        // It is heard on this instance first, whatever becomes of the others.
        const told = await store.signals.send({ kind: 'kill', what, id }).then(
          () => true,
          () => false,
        );
        return { here, told };
      },
    },
    snapshot: () => loaded().snapshot,
    remedy: gateway.route.remedy,
    config: loaded,
    budgets: live,
    balances,
    correct: gateway.budget.correct,
    priceUsage(target, usage, at) {
      const rate = gateway.prices.rate(target, loaded().snapshot.prices, at);
      return rate && gateway.prices.cost(usage, rate).cost;
    },
    ledger: { standing: gateway.budget.standing, shared: bank !== undefined },
    metrics: () => gateway.record.metrics(balances(), gateway.route.health()),
    health: () => gateway.route.health(),
    notReady,
    // Not its reason, which may name hosts: the log says it.
    degraded: () => (store.trouble() === undefined ? [] : ['store']),
    about: { version, node: process.versions.node },
    clock: realClock,
    random: realRandom,
    log,
  };
}

function proxies(environment: InstallationOptions['environment']): NetworkOptions {
  const either = (name: string): string | undefined =>
    environment[name] || environment[name.toLowerCase()] || undefined;
  return { httpProxy: either('HTTP_PROXY'), httpsProxy: either('HTTPS_PROXY'), noProxy: either('NO_PROXY') };
}
