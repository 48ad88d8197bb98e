// Starts one gateway in the real world: data folder, configuration, journal, store, rooms, sockets; and stops it again.

import { readFileSync } from 'node:fs';
import { createAdmin } from './admin/admin.ts';
import { openJournal } from './budget/journal.ts';
import { loadCatalogue } from './config/catalogue.ts';
import { type Loaded, loadConfig } from './config/config.ts';
import { createReload } from './config/reload.ts';
import type { Address } from './config/settings.ts';
import { Secret } from './exchange/target.ts';
import { assemble, type Gateway } from './gateway.ts';
import { genericRow, readyProvider } from './providers/ready.ts';
import { simulate } from './providers/sim.ts';
import { rows } from './providers/table.ts';
import { openStore, type Store } from './store/store.ts';
import { realClock } from './world/real/clock.ts';
import { type DataFolder, newToken, openDataFolder, StartError } from './world/real/data-folder.ts';
import { createLog } from './world/real/log.ts';
import { createNetwork, type NetworkOptions } from './world/real/network.ts';
import { realRandom } from './world/real/random.ts';
import { openSegments } from './world/real/segments.ts';
import { loopDelay, type OpenServer, openServer } from './world/real/server.ts';
import type { InboundListener, Log, World } from './world/world.ts';

export interface StartOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly fileName?: string;
  readonly print: (text: string) => void;
}

export interface Running {
  readonly log: Log;
  readonly url: string;
  reload(): void;
  /** Lets what runs finish within the grace period, then closes everything. */
  stop(): Promise<void>;
}

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** How long exchanges in flight may take to end once the process is told to stop. */
const graceMs = 30_000;
/** How far the store may be behind the journal. */
const readerMs = 200;

/** Throws `ConfigError` and `StartError`, each a line for the operator. */
export async function start(options: StartOptions): Promise<Running> {
  const load = (): Loaded => loadFile(options);
  let loaded = load();
  const { settings } = loaded;
  const log = createLog(settings.logLevel);
  const folder = openDataFolder(settings.dataFolder);
  const world: World = {
    clock: realClock,
    random: realRandom,
    log,
    network: createNetwork(proxies(options.environment)),
  };
  const delay = loopDelay();

  const opening = openStore({ journalFolder: folder.file('journal'), file: settings.storeFile });
  const journal = openJournal(openSegments(folder.file('journal')), realClock, { log });
  const store = await opening;
  const gateway = assemble(world, {
    policy: () => loaded.snapshot,
    catalogue: loadCatalogue(),
    journal,
    pepper: Buffer.from(
      folder.secret('pepper', () => newToken('')),
      'utf8',
    ),
    keys: await store.keys(),
    simulate,
    loopDelayMs: delay.ms,
  });
  await firstKey(gateway, store, folder);
  const adminToken = settings.adminToken ?? new Secret(folder.secret('admin-token', () => newToken('tga-')));
  const reload = createReload({
    fileName: options.fileName,
    current: loaded,
    load,
    apply: (next) => {
      loaded = next;
    },
    clock: realClock,
    log,
  });
  let draining = false;
  const admin = createAdmin({
    token: adminToken,
    metricsAccess: settings.metrics,
    ...gateway,
    store,
    snapshot: () => loaded.snapshot,
    config: () => loaded,
    balances: () => gateway.budget.balances(loaded.snapshot.budgets),
    metrics: () => gateway.record.metrics(gateway.budget.balances(loaded.snapshot.budgets), gateway.route.health()),
    health: () => gateway.route.health(),
    notReady: () => (draining ? ['draining'] : []),
    about: { version, node: process.version },
    clock: realClock,
    random: realRandom,
    log,
  });
  const servers = await listen(loaded, gateway, admin);
  const reading = setInterval(() => store.nudge(), readerMs);

  async function stop(): Promise<void> {
    draining = true;
    log.info('draining', { inflight: gateway.inflight() });
    for (const server of servers) server.stop();
    await Promise.race([gateway.drain(), new Promise((resolve) => setTimeout(resolve, graceMs).unref())]);
    for (const server of servers) server.destroy();
    clearInterval(reading);
    reload.close();
    gateway.stop();
    delay.stop();
    await world.network.close();
    await journal.close();
    await store.close();
    folder.release();
  }

  const url = `http://${settings.listen.host.includes(':') ? `[${settings.listen.host}]` : settings.listen.host}:${servers[0]?.port}`;
  for (const warning of loaded.warnings)
    log.warn('config-warning', { line: warning.line, key: warning.key, reason: warning.message });
  checkDescriptors(log);
  options.print(banner(url, loaded, folder));
  return { log, url, reload: () => void reload.reload('SIGHUP'), stop };
}

function loadFile({ environment, fileName }: StartOptions): Loaded {
  return loadConfig({
    environment,
    table: { rows, readyProvider, genericRow },
    readFile: (path) => readFileSync(path, 'utf8'),
    ...(fileName === undefined ? {} : { fileName, text: readConfig(fileName) }),
  });
}

function readConfig(fileName: string): string {
  try {
    return readFileSync(fileName, 'utf8');
  } catch (error) {
    throw new StartError(`The configuration ${fileName} cannot be read: ${(error as Error).message}.`);
  }
}

/** A gateway without keys would answer nobody: the first start makes one and leaves it in the data folder. */
async function firstKey(gateway: Gateway, store: Store, folder: DataFolder): Promise<void> {
  if (gateway.identify.list().length > 0) return;
  const { record, key } = gateway.identify.mint(realRandom, { name: 'first' });
  await store.saveKey(record);
  gateway.identify.add(record);
  folder.keep('first-key', key);
}

/** The data plane, and the control plane on the same port or on its own. */
async function listen({ settings }: Loaded, gateway: Gateway, admin: InboundListener): Promise<OpenServer[]> {
  const { listen: data, admin: control } = settings;
  const probes = /^\/(healthz|readyz)(\?|$)/;
  const controlled = /^\/(admin|metrics|healthz|readyz|dashboard)(\/|\?|$)/;
  const here = !control.enabled || control.listen ? probes : controlled;
  const metricsOpen = settings.metrics === 'open' && !control.listen;
  const join: InboundListener = (request, reply) => {
    const target = request.url ?? '';
    if (here.test(target) || (metricsOpen && target.startsWith('/metrics'))) admin(request, reply);
    else gateway.listener(request, reply);
  };
  const servers = [await open(data, join)];
  if (control.enabled && control.listen) servers.push(await open(control.listen, admin));
  return servers;
}

async function open({ host, port }: Address, listener: InboundListener): Promise<OpenServer> {
  try {
    return await openServer(host, port, listener);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new StartError(
        `Port ${port} on ${host} is taken. Stop what serves there, or set PORT (or listen.port) to another.`,
      );
    if (code === 'EACCES')
      throw new StartError(`Port ${port} on ${host} needs more rights than this process has; use one above 1023.`);
    throw new StartError(`Cannot listen on ${host}:${port}: ${message}.`);
  }
}

function proxies(environment: StartOptions['environment']): NetworkOptions {
  const either = (name: string): string | undefined =>
    environment[name] || environment[name.toLowerCase()] || undefined;
  return { httpProxy: either('HTTP_PROXY'), httpsProxy: either('HTTPS_PROXY'), noProxy: either('NO_PROXY') };
}

/** A stream takes two descriptors; a limit of 1,024, common on developers' machines, is 500 streams. */
function checkDescriptors(log: Log): void {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    if (soft !== undefined && Number(soft) < 8192)
      log.warn('few-descriptors', {
        limit: Number(soft),
        streams: Math.floor(Number(soft) / 2),
        remedy: 'ulimit -n 65536',
      });
  } catch {
    // Not Linux: nothing to read, and the system's own limit will speak.
  }
}

function banner(url: string, { settings, snapshot }: Loaded, folder: DataFolder): string {
  const models = snapshot.providers.has('sim') ? 'sim/sim-small' : ([...snapshot.aliases.keys()][0] ?? 'MODEL');
  const named = [...snapshot.providers.keys()].filter((name) => name !== 'sim');
  const lines = [
    `Tollgate ${version} serves ${url}`,
    '',
    `  providers   ${named.length > 0 ? named.join(', ') : 'none with a key yet: set OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY, ...'}`,
    ...(settings.sim ? ['  sim         the built-in provider answers in play money'] : []),
    ...(settings.defaultBudget ? ['  budget      5 USD a day for everything, until a budget is configured'] : []),
    `  metrics     ${url}/metrics      admin ${url}/admin (token in ${folder.file('admin-token')})`,
    '',
    '  try it:',
    `  curl ${url}/v1/chat/completions -H "Authorization: Bearer $(cat ${folder.file('first-key')})" -H "Content-Type: application/json" -d '{"model": "${models}", "messages": [{"role": "user", "content": "Hello"}]}'`,
    '',
  ];
  return `${lines.join('\n')}\n`;
}
