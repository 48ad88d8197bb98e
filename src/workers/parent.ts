// The process over several workers: holds the folder and the machine's bank, starts workers, and again those that die.

import cluster, { type Worker } from 'node:cluster';
import { createBook } from '../bank/book.ts';
import { createParentBank } from '../bank/parent.ts';
import { banner } from '../banner.ts';
import type { Loaded } from '../config/config.ts';
import type { Address } from '../config/settings.ts';
import { sharedBank } from '../shared-bank.ts';
import { addresses, notOpen, type Running } from '../start.ts';
import { realClock } from '../world/real/clock.ts';
import { StartError } from '../world/real/data-folder.ts';
import { createLog } from '../world/real/log.ts';
import { probePort } from '../world/real/server.ts';
import type { Log } from '../world/world.ts';
import { createHub } from './hub.ts';
import { openFolder } from './open-folder.ts';

export interface ParentOptions {
  readonly loaded: Loaded;
  readonly print: (text: string) => void;
}

/** A worker that lived shorter than this is started again after a pause, which doubles. */
const shortLifeMs = 5_000;
const pauseMs = { first: 200, most: 30_000 };
/** Beyond the grace period that a worker keeps by itself. */
const endingMs = 10_000;

/** Throws `StartError`; what a worker could not start for it has said itself. */
export async function startParent({ loaded, print }: ParentOptions): Promise<Running> {
  const { settings } = loaded;
  const log = createLog(settings.logLevel);
  const house = openFolder(settings, log);
  const book = createBook({ now: realClock.now });
  try {
    const shared = await sharedBank(settings.storage, log);
    await house.enterAll(shared ?? (() => book.bank()), settings.workers);
  } catch (error) {
    house.release();
    throw error;
  }
  const crew = createCrew({ count: settings.workers, log, attach: createParentBank(book).attach });
  let ports: readonly number[];
  try {
    for (const address of [settings.listen, settings.admin.listen]) if (address) await probe(address);
    // The first makes what they have in common: the schema, the secrets, the first key.
    ports = await crew.start(1);
    await Promise.all(Array.from({ length: settings.workers - 1 }, (_, index) => crew.start(index + 2)));
  } catch (error) {
    crew.kill();
    house.release();
    throw error;
  }
  print(banner({ loaded, ...addresses(settings, ports), folder: house.folder }));
  if (loaded.snapshot.limits.length > 0)
    log.warn('limits_by_worker', { reason: 'each worker keeps `limits` by itself', workers: settings.workers });

  return {
    log,
    reload: () => crew.order('reload'),
    async stop() {
      await crew.stop(settings.graceMs + endingMs);
      house.release();
      log.info('stopped');
    },
  };
}

async function probe(address: Address): Promise<void> {
  if (address.port === 0) return;
  await probePort(address.host, address.port).catch((error) => {
    throw notOpen(address, error);
  });
}

interface CrewParts {
  readonly count: number;
  readonly log: Log;
  readonly attach: ReturnType<typeof createParentBank>['attach'];
}

function createCrew({ count, log, attach }: CrewParts) {
  const hub = createHub();
  const alive = new Map<number, Worker>();
  const pauses = new Map<number, number>();
  let stopping = false;
  let empty = Promise.withResolvers<void>();

  /** As the first has them: a configured 0 is the same for all. */
  let ports: readonly number[] = [];

  /** Resolves with its ports once it serves. */
  const start = (number: number): Promise<readonly number[]> => {
    const ready = Promise.withResolvers<readonly number[]>();
    const begun = performance.now();
    let served = false;
    const worker = cluster.fork({
      TOLLGATE_WORKER: String(number),
      TOLLGATE_WORKERS: String(count),
      TOLLGATE_WORKER_PORTS: ports.join(','),
    });
    alive.set(number, worker);
    attach(worker.process);
    hub.attach(number, worker.process, (own) => {
      served = true;
      ports = own;
      ready.resolve(own);
    });
    worker.once('exit', (code, signal) => {
      alive.delete(number);
      hub.detach(number);
      if (alive.size === 0) empty.resolve();
      if (stopping) return ready.resolve(ports);
      log.error('worker_died', { worker: number, code, signal: signal ?? '' });
      ready.reject(new StartError(`Worker ${number} did not start.`));
      if (served || pauses.has(number)) again(number, performance.now() - begun);
    });
    return ready.promise;
  };

  const again = (number: number, lived: number): void => {
    const pause = lived >= shortLifeMs ? 0 : (pauses.get(number) ?? 0);
    pauses.set(number, Math.min(Math.max(pause * 2, pauseMs.first), pauseMs.most));
    setTimeout(() => {
      if (!stopping)
        start(number).then(
          () => log.info('worker_back', { worker: number }),
          () => undefined,
        );
    }, pause);
  };

  const kill = (): void => {
    stopping = true;
    for (const worker of alive.values()) worker.process.kill('SIGKILL');
  };
  return {
    start,
    kill,
    order: hub.order,
    async stop(mostMs: number): Promise<void> {
      stopping = true;
      empty = Promise.withResolvers<void>();
      if (alive.size === 0) return;
      const late = setTimeout(kill, mostMs);
      hub.order('stop');
      await empty.promise;
      clearTimeout(late);
    },
  };
}
