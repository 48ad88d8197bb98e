// The command line but for `start`: finds the command, reads its options, runs it, ends with an exit code.

import { parseArgs } from 'node:util';
import type { Environment } from '../config/environment.ts';
import { ConfigError } from '../config/problems.ts';
import { nearest } from '../config/suggest.ts';
import { backupCommands } from './backup.ts';
import { budgetCommands } from './budget.ts';
import { catalogCommands } from './catalog.ts';
import { checkCommand } from './check.ts';
import { type Command, CommandError, type Context, type Io } from './command.ts';
import { costCommands } from './costs.ts';
import { doctorCommand } from './doctor.ts';
import { createAsk, gatewayUrl, type Place } from './gateway.ts';
import { helpFor, overview, overviewOf, start, startHelp } from './help.ts';
import { inflightCommands } from './inflight.ts';
import { keyCommands } from './key.ts';
import { ledgerCommands } from './ledger.ts';
import { moneyCommands } from './money.ts';
import { reconcileCommands } from './reconcile.ts';
import { unitCommands } from './unit.ts';

export type { Io, Offline } from './command.ts';

const commands: readonly Command[] = [
  checkCommand,
  ...keyCommands,
  ...unitCommands,
  ...budgetCommands,
  ...moneyCommands,
  ...inflightCommands,
  ...catalogCommands,
  ...reconcileCommands,
  ...costCommands,
  ...ledgerCommands,
  ...backupCommands,
  doctorCommand,
];

const sharedOptions = {
  config: 'string',
  url: 'string',
  offline: 'boolean',
  json: 'boolean',
  help: 'boolean',
} as const;

/** Never throws; resolves with the exit code: 0 well, 1 a failure or finding, 2 wrong use. */
export async function runCommand(argv: readonly string[], environment: Environment, io: Io): Promise<number> {
  try {
    return await run(argv, environment, io);
  } catch (error) {
    if (error instanceof CommandError) {
      io.error(`tollgate: ${error.message}`);
      return error.exitCode;
    }
    if (error instanceof ConfigError) {
      for (const line of error.message.split('\n')) io.error(line);
      return 1;
    }
    io.error(`tollgate: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

async function run(argv: readonly string[], environment: Environment, io: Io): Promise<number> {
  if (argv.includes('--version') || argv[0] === 'version') {
    io.out(io.about.version);
    return 0;
  }
  const asksForHelp = argv[0] === 'help' || argv.includes('--help') || argv.includes('-h');
  const words = argv.filter((word) => !word.startsWith('-') && !(asksForHelp && word === 'help'));
  const command = commandOf(argv[0] === 'help' ? words : argv);
  if (!command) return withoutCommand(words, asksForHelp, io);
  if (asksForHelp) {
    for (const line of helpFor(command)) io.out(line);
    return 0;
  }
  const { values, positionals } = read(command, argv.slice(command.name.split(' ').length));
  const [least, most] = command.words;
  if (positionals.length < least || positionals.length > most) {
    throw new CommandError(`usage: tollgate ${command.name} ${command.usage}`.trimEnd(), 2);
  }
  const place: Place = {
    offline: values.offline === true,
    ...(typeof values.url === 'string' ? { url: values.url } : {}),
    ...(typeof values.config === 'string' ? { config: values.config } : {}),
  };
  if (place.offline && place.url) throw new CommandError('--offline and --url exclude each other', 2);
  const context: Context = {
    io,
    environment,
    words: positionals,
    options: values,
    json: values.json === true,
    ask: createAsk(place, environment, io),
    url: () => gatewayUrl(place, environment, io),
  };
  return command.run(context);
}

function commandOf(words: readonly string[]): Command | undefined {
  return commands.find((command) => command.name.split(' ').every((word, index) => words[index] === word));
}

function withoutCommand(words: readonly string[], asksForHelp: boolean, io: Io): number {
  const [first = '', second = ''] = words;
  const group = commands.filter((command) => command.name.startsWith(`${first} `));
  if (asksForHelp && first === start.name) {
    for (const line of startHelp()) io.out(line);
    return 0;
  }
  if (first === '') {
    for (const line of overview(commands)) io.out(line);
    return 0;
  }
  if (group.length > 0 && second === '') {
    for (const line of overviewOf(first, group)) (asksForHelp ? io.out : io.error)(line);
    return asksForHelp ? 0 : 2;
  }
  const wanted = group.length > 0 ? `${first} ${second}` : first;
  const names = [start.name, ...commands.flatMap((command) => [command.name, command.name.split(' ')[0] ?? ''])];
  const suggestion = nearest(wanted, names);
  const hint = suggestion ? `did you mean tollgate ${suggestion}?` : 'tollgate --help lists what there is';
  throw new CommandError(`unknown command ${wanted}; ${hint}`, 2);
}

type Values = Readonly<Record<string, string | boolean | undefined>>;

function read(command: Command, rest: readonly string[]): { values: Values; positionals: string[] } {
  const known = { ...sharedOptions, ...command.options };
  const options = Object.fromEntries(Object.entries(known).map(([name, type]) => [name, { type }]));
  try {
    const { values, positionals } = parseArgs({ args: [...rest], options, allowPositionals: true, strict: true });
    return { values: values as Values, positionals };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const unknown = /Unknown option '(--?[\w-]+)'/.exec(message)?.[1];
    if (!unknown) throw new CommandError(message, 2);
    const suggestion = nearest(unknown.replace(/^-+/, ''), Object.keys(known));
    const hint = suggestion ? `did you mean --${suggestion}?` : `see: tollgate ${command.name} --help`;
    throw new CommandError(`unknown option ${unknown}; ${hint}`, 2);
  }
}
