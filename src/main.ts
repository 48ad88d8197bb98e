// The real world comes in here: environment, arguments, sockets, signals. Nothing else reads them.

import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runCommand } from './cli/cli.ts';
import { withDotEnv } from './config/environment.ts';
import { ConfigError, formatProblem } from './config/problems.ts';
import { start } from './start.ts';
import { StartError } from './world/real/data-folder.ts';

const help = `tollgate start [--config FILE] [--port N] [--host H]

Serves the gateway until it is told to stop (Ctrl-C or SIGTERM; a second one stops it at once).

  --config FILE   the configuration; default: TOLLGATE_CONFIG, or ./tollgate.yaml where there is one
  --port N        the port; default: PORT, the configuration, or 8080
  --host H        the address to listen on; default: HOST, the configuration, or 127.0.0.1
`;

const [command = 'start', ...rest] = process.argv.slice(2);
const environment = withDotEnv(process.env, readIfThere('.env'));

if (command === 'start') await run(rest);
else process.exitCode = await runCommand(process.argv.slice(2), environment, process);

async function run(argv: string[]): Promise<void> {
  try {
    const { values } = parseArgs({
      args: argv,
      options: {
        config: { type: 'string' },
        port: { type: 'string' },
        host: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) {
      process.stdout.write(help);
      return;
    }
    const fileName =
      values.config ?? environment.TOLLGATE_CONFIG ?? (existsSync('tollgate.yaml') ? 'tollgate.yaml' : undefined);
    const running = await start({
      environment: {
        ...environment,
        ...(values.port === undefined ? {} : { PORT: values.port }),
        ...(values.host === undefined ? {} : { HOST: values.host }),
      },
      ...(fileName === undefined ? {} : { fileName }),
      print: (text) => process.stdout.write(text),
    });
    stopOnSignals(running.stop);
    process.on('SIGHUP', () => running.reload());
    process.on('uncaughtException', (error) => {
      running.log.error('uncaught', { stack: error.stack });
      void running.stop().finally(() => process.exit(1));
    });
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    process.exit(1);
  }
}

function stopOnSignals(stop: () => Promise<void>): void {
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      if (stopping) process.exit(1);
      stopping = true;
      void stop().finally(() => process.exit(0));
    });
}

/** One clear line for what an operator can mend; the whole story for what only we can. */
function explain(error: unknown): string {
  if (error instanceof ConfigError)
    return error.problems.map((problem) => formatProblem(problem, error.fileName)).join('\n');
  if (error instanceof StartError) return `tollgate: ${error.message}`;
  if (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
    return `tollgate: ${error.message}\n\n${help}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
