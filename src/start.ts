// Starts one gateway in the real world: an installation, its configuration's reload, sockets; and stops it again.

import { readFileSync } from 'node:fs';
import { createAdmin } from './admin/admin.ts';
import { banner } from './banner.ts';
import type { Loaded } from './config/config.ts';
import { loadConfigFile, usualFile } from './config/file.ts';
import type { ProviderTable } from './config/provider-table.ts';
import { createReload, firstLoad } from './config/reload.ts';
import type { Address, Settings } from './config/settings.ts';
import { Refusal } from './exchange/refusal.ts';
import type { Gateway } from './gateway.ts';
import { type Installation, openInstallation } from './installation.ts';
import { refuseCollisions } from './live.ts';
import type { Seat } from './workers/seat.ts';
import { realClock } from './world/real/clock.ts';
import { StartError } from './world/real/data-folder.ts';
import { boundHeap } from './world/real/heap.ts';
import { createLog } from './world/real/log.ts';
import { realRandom } from './world/real/random.ts';
import { type OpenServer, openServer } from './world/real/server.ts';
import type { InboundListener, Log } from './world/world.ts';

export interface StartOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly table: ProviderTable;
  /** The configuration to read, where there is one by now. */
  readonly findFile: () => string | undefined;
  readonly print: (text: string) => void;
  /** Present in a worker. */
  readonly seat?: Seat;
  /** Starts what stands over several workers, where several are wanted. */
  readonly startParent: (loaded: Loaded) => Promise<Running>;
}

export interface Running {
  readonly log: Log;
  reload(): void;
  /** Lets what runs finish within the grace period, then closes everything. */
  stop(): Promise<void>;
}

/** What is ended at the end of the grace period has this long to tell its client and to be written down. */
const endingMs = 3_000;

/** Throws `ConfigError` and `StartError`, each a line for the operator. */
export async function start(options: StartOptions): Promise<Running> {
  const { environment, findFile, table } = options;
  let fileName = findFile();
  // A file that was read once must stay: without it all limits would fall back to the defaults.
  const load = (): Loaded => {
    fileName ??= findFile();
    return loadConfigFile(fileName, environment, table);
  };
  const first = firstLoad(fileName ?? usualFile, load);
  let { loaded } = first;
  let draining = false;
  const { settings } = loaded;
  const { seat } = options;
  if (!seat && settings.workers > 1) return options.startParent(loaded);
  const log = createLog(settings.logLevel, seat?.number);
  const installation = await openInstallation({
    loaded: () => loaded,
    log,
    environment,
    notReady: () => (draining ? ['draining'] : []),
    ...(seat ? { seat } : {}),
  });
  if (!installation)
    throw new StartError(
      `Another process uses ${settings.dataFolder}. Stop it, or set TOLLGATE_DATA to another folder.`,
    );
  const { gateway, folder, live } = installation;
  const checked = (next: Loaded): Loaded => {
    refuseCollisions(next, fileName ?? usualFile, live.records());
    return next;
  };
  checked(loaded);
  await firstKey(installation);
  const reload = createReload({
    // Where there is none yet, the one that may be written is waited for.
    fileName: fileName ?? usualFile,
    first,
    load: () => checked(load()),
    apply(next) {
      loaded = next;
    },
    clock: realClock,
    log,
  });
  const servers = await listen(loaded, gateway, createAdmin(installation.parts), seat);
  for (const { line, key, message } of loaded.warnings) log.warn('config_warning', { line, key, reason: message });
  checkDescriptors(log);
  boundHeap();
  seat?.ready(servers.map(({ port }) => port));
  if (!seat)
    options.print(
      banner({
        loaded,
        ...addresses(
          settings,
          servers.map(({ port }) => port),
        ),
        budgets: live.list(),
        folder,
      }),
    );

  return {
    log,
    reload() {
      reload.reload('SIGHUP');
      installation.reloadCatalogue();
    },
    async stop() {
      draining = true;
      log.info('draining', { inflight: gateway.inflight() });
      // Listening on while it drains: a probe reads 503 and a client is told to try again, where a closed port would
      // tell both that something is broken.
      const drained = gateway.drain();
      await Promise.race([drained, passed(settings.graceMs)]);
      if (gateway.inflight() > 0) {
        log.warn('grace_over', { inflight: gateway.inflight() });
        gateway.running.stopAll(new Refusal('draining', 'This instance shuts down before the answer was whole.'));
        await Promise.race([drained, passed(endingMs)]);
      }
      for (const server of servers) server.stop();
      for (const server of servers) server.destroy();
      reload.close();
      await installation.close();
      log.info('stopped');
    },
  };
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

/** A gateway without keys would answer nobody: the first start makes one and leaves it in the data folder. */
async function firstKey({ gateway, store, folder }: Installation): Promise<void> {
  if (gateway.identify.list().length > 0) return;
  const { record, key } = gateway.identify.mint(realRandom, { name: 'first' });
  await store.saveKey(record);
  folder.keep('first-key', key);
}

/** The data plane, and the control plane on the same port or on its own. */
async function listen(
  { settings }: Loaded,
  gateway: Gateway,
  admin: InboundListener,
  seat: Seat | undefined,
): Promise<OpenServer[]> {
  const { listen: data, admin: control, metrics } = settings;
  const joined = control.enabled && !control.listen;
  const controlled = joined ? /^\/(admin|metrics|healthz|readyz)(\/|\?|$)/ : /^\/(healthz|readyz)(\?|$)/;
  const metricsHere = metrics === 'open' && !control.listen;
  const [dataPort = data.port, controlPort = control.listen?.port ?? 0] = seat?.ports ?? [];
  const together = seat !== undefined;
  const servers = [
    await open({ ...data, port: dataPort }, together, (request, reply) => {
      const target = request.url ?? '';
      const toAdmin = controlled.test(target) || (metricsHere && /^\/metrics(\?|$)/.test(target));
      (toAdmin ? admin : gateway.listener)(request, reply);
    }),
  ];
  if (control.enabled && control.listen)
    servers.push(await open({ ...control.listen, port: controlPort }, together, admin));
  return servers;
}

/** Where it serves, the ports that the system chose among them. */
export function addresses({ listen, admin }: Settings, [data, control]: readonly number[]) {
  const own = { host: listen.host, port: data ?? listen.port };
  return {
    data: own,
    control: admin.enabled ? (admin.listen ? { ...admin.listen, port: control ?? admin.listen.port } : own) : undefined,
  };
}

async function open(address: Address, together: boolean, listener: InboundListener): Promise<OpenServer> {
  const { host, port } = address;
  try {
    return await openServer(host, port, listener, together);
  } catch (error) {
    throw notOpen(address, error);
  }
}

/** One line for the operator. */
export function notOpen({ host, port }: Address, error: unknown): StartError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return new StartError(
      `Port ${port} on ${host} is taken. Stop what serves there, or set PORT (or listen.port) to another.`,
    );
  if (code === 'EACCES')
    return new StartError(`Port ${port} needs more rights than this process has; use one above 1023.`);
  return new StartError(`Cannot listen on ${host}:${port}: ${message}.`);
}

/** A stream takes two descriptors; a limit of 1,024, common on developers' machines, is 500 streams. */
function checkDescriptors(log: Log): void {
  let limits: string;
  try {
    limits = readFileSync('/proc/self/limits', 'utf8');
  } catch {
    // Not Linux: nothing to read here.
    return;
  }
  const soft = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  if (soft < 8192)
    log.warn('few_descriptors', { limit: soft, streams: Math.floor(soft / 2), remedy: 'ulimit -n 65536' });
}
