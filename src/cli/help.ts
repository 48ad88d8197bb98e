// What the command line says of itself.

import { type Command, columns } from './command.ts';

export const start = { name: 'start', summary: 'Run the gateway; without a configuration on http://127.0.0.1:8080' };

const shared = [
  ['--config FILE', 'The configuration; TOLLGATE_CONFIG, or ./tollgate.yaml where there is one'],
  ['--url URL', 'The gateway to ask; the one that the configuration would start here'],
  ['--offline', 'Open the store of this folder instead of asking a running gateway'],
  ['--json', 'Answer as JSON'],
  ['--help', 'Help for a command: tollgate COMMAND --help'],
];

export function overview(commands: readonly Command[]): string[] {
  return [
    'tollgate: one address for every LLM provider, with money that cannot leak.',
    '',
    'Usage: tollgate COMMAND [options]',
    '',
    ...list([start, ...commands]),
    '',
    'Options of every command but start (which takes --config):',
    ...columns(shared.map(([name, meaning]) => [`  ${name}`, meaning ?? ''])),
    '',
    'The admin token is read from TOLLGATE_ADMIN_TOKEN, or from data/admin-token (TOLLGATE_DATA moves data/).',
  ];
}

export function startHelp(): string[] {
  const options = [
    ['--config FILE', 'The configuration; TOLLGATE_CONFIG, or ./tollgate.yaml where there is one'],
    ['--port N', 'Where it listens; else PORT, listen.port of the configuration, 8080'],
    ['--host H', 'The same: HOST, listen.host, 127.0.0.1; 0.0.0.0 for every address of the machine'],
  ];
  return [
    start.summary,
    '',
    'Usage: tollgate start [--config FILE] [--port N] [--host H]',
    '',
    ...columns(options.map(([name, meaning]) => [`  ${name}`, meaning ?? ''])),
    '',
    '  TOLLGATE_DATA is the folder of its data (./data), TOLLGATE_ADMIN_TOKEN its admin token (else made there).',
    '  Ends on SIGTERM when what runs is answered; reads its configuration again on SIGHUP.',
  ];
}

/** `key` alone: the commands that begin with it. */
export function overviewOf(group: string, commands: readonly Command[]): string[] {
  return [
    `Usage: tollgate ${group} COMMAND [options]`,
    '',
    ...list(commands),
    '',
    `Help for one of them: tollgate ${commands[0]?.name ?? group} --help`,
  ];
}

function list(commands: readonly Pick<Command, 'name' | 'summary'>[]): string[] {
  return columns(commands.map(({ name, summary }) => [`  ${name}`, summary]));
}

export function helpFor(command: Command): string[] {
  return [
    command.summary,
    '',
    `Usage: tollgate ${command.name}${command.usage ? ` ${command.usage}` : ''}`,
    ...(command.help.length > 0 ? ['', ...command.help.map((line) => (line ? `  ${line}` : ''))] : []),
    '',
    '  Also: --config FILE, --url URL, --offline, --json',
  ];
}
