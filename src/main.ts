// The real world comes in here: environment, arguments, output, signals. Nothing else reads them.

import { parseArgs } from 'node:util';
import type { Io, Offline, Screen } from './cli/command.ts';
import { findConfigFile, loadConfigFile, readEnvironment } from './config/file.ts';
import { ConfigError } from './config/problems.ts';
import type { ProviderTable } from './config/provider-table.ts';
import { openInstallation, version } from './installation.ts';
import { genericRow, readyProvider } from './providers/ready.ts';
import { rows } from './providers/table.ts';
import { start } from './start.ts';
import type { Seat } from './workers/seat.ts';
import { StartError } from './world/real/data-folder.ts';
import { createLog } from './world/real/log.ts';

const table: ProviderTable = { rows, readyProvider, genericRow };
const [command = 'start', ...rest] = process.argv.slice(2);
const asksOnly = ['--help', '-h', '--version'];

try {
  const environment = readEnvironment(process.env);
  if (command === 'start' && !rest.some((word) => asksOnly.includes(word))) await serve(environment, rest);
  else {
    // Only where it is wanted: a gateway needs no command, and each module costs its start a millisecond.
    const { runCommand } = await import('./cli/cli.ts');
    process.stdout.on('error', endOfPipe);
    process.exitCode = await runCommand(process.argv.slice(2), environment, terminal(environment));
  }
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(isWrongUse(error) ? 2 : 1);
}

async function serve(
  own: NodeJS.ProcessEnv | Readonly<Record<string, string | undefined>>,
  argv: string[],
): Promise<void> {
  const { values } = parseArgs({
    args: argv,
    options: { config: { type: 'string' }, port: { type: 'string' }, host: { type: 'string' } },
  });
  const environment = {
    ...own,
    ...(values.port === undefined ? {} : { PORT: values.port }),
    ...(values.host === undefined ? {} : { HOST: values.host }),
  };
  const seat = await seatOf(environment);
  const running = await start({
    environment,
    ...(seat ? { seat } : {}),
    startParent: async (loaded) =>
      (await import('./workers/parent.ts')).startParent({ loaded, print: (text) => process.stdout.write(text) }),
    table,
    findFile: () => findConfigFile({ environment, ...(values.config === undefined ? {} : { named: values.config }) }),
    print: (text) => process.stdout.write(text),
  });
  let stopping = false;
  const stop = (code: number): void => {
    if (stopping) return;
    stopping = true;
    void running.stop().finally(() => process.exit(code));
  };
  // A supervisor that stops a group sends it twice to one that was started through another process: it never means "now".
  process.on('SIGTERM', () => stop(0));
  // A terminal sends these to every process of the group; to a worker the parent says what follows from them.
  process.on('SIGINT', () => {
    if (seat) return;
    if (stopping) process.exit(1);
    stop(0);
  });
  process.on('SIGHUP', () => seat ?? running.reload());
  seat?.onOrder((order) => {
    if (order === 'reload') running.reload();
    else if (!stopping) stop(0);
  });
  // The state of a process that threw where nobody caught it cannot be trusted: what runs may end, then it goes.
  process.on('uncaughtException', (error) => {
    running.log.error('uncaught', { stack: error.stack });
    if (stopping) process.exit(1);
    stop(1);
  });
}

/** `tollgate key list | head -1`: who reads no further wants no more. */
function endOfPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
}

/** Set by the parent process, which alone leaves a channel open. */
async function seatOf(environment: Readonly<Record<string, string | undefined>>): Promise<Seat | undefined> {
  const { TOLLGATE_WORKER: number, TOLLGATE_WORKERS: count, TOLLGATE_WORKER_PORTS: ports } = environment;
  if (number === undefined || !process.send) return undefined;
  const { takeSeat } = await import('./workers/seat.ts');
  return takeSeat(process, {
    number: Number(number),
    count: Number(count),
    ports: ports ? ports.split(',').map(Number) : [],
  });
}

function terminal(environment: Readonly<Record<string, string | undefined>>): Io {
  return {
    out: (line) => process.stdout.write(`${line}\n`),
    error: (line) => process.stderr.write(`${line}\n`),
    fetch,
    table,
    about: { version, node: process.versions.node },
    ...(process.stdout.isTTY ? { screen: screen() } : {}),
    openOffline: (place) => openOffline({ ...environment, TOLLGATE_DATA: place.dataFolder }),
  };
}

function screen(): Screen {
  return {
    size: () => ({ rows: process.stdout.rows, width: process.stdout.columns }),
    async show(lines) {
      // Home, each line cleared behind its end, and what stood below: no flicker, as a cleared screen would have.
      process.stdout.write(`\x1b[H${lines.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return true;
    },
  };
}

/** The same installation without its sockets, for a command while no gateway runs. */
async function openOffline(environment: Readonly<Record<string, string | undefined>>): Promise<Offline | undefined> {
  const loaded = loadConfigFile(findConfigFile({ environment }), environment, table, true);
  return openInstallation({ loaded: () => loaded, log: createLog('warn'), environment, notReady: () => ['offline'] });
}

/** One clear line for what an operator can mend; the whole story for what only we can. */
function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (error instanceof StartError) return `tollgate: ${error.message}`;
  if (!(error instanceof Error)) return String(error);
  if (isWrongUse(error))
    return `tollgate: ${error.message}\nusage: tollgate start [--config FILE] [--port N] [--host H]`;
  return error.stack ?? error.message;
}

function isWrongUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
