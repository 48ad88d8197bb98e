// `tollgate unit …`: organisations, teams, users and service identities from the terminal.

import { type Command, CommandError, columns } from './command.ts';

interface Unit {
  readonly scope: string;
  readonly name: string;
  readonly parent: string | null;
  readonly tier: string | null;
  readonly keys: number;
}

const create: Command = {
  name: 'unit create',
  usage: 'SCOPE [--under SCOPE] [--name NAME] [--tier TIER]',
  summary: 'Make an organisation, a team, a user or a service identity',
  help: [
    'SCOPE          org:ID, team:ID, user:NAME or service:EMAIL',
    '--under SCOPE  What it stands under: a team under an org, a user or service under a team or an org',
    '--name NAME    For lists; the id',
    '--tier TIER    A word such as gold, for all keys under it that have none of their own',
    '',
    'Example:  tollgate unit create org:acme',
    '          tollgate unit create team:search --under org:acme',
    '          tollgate key create ann --owner team:search',
  ],
  options: { under: 'string', name: 'string', tier: 'string' },
  words: [1, 1],
  run: async (context) => {
    const scope = context.words[0] ?? '';
    const [, kind, id] = /^(org|team|user|service):(.+)$/.exec(scope) ?? [];
    if (kind === undefined) throw new CommandError('SCOPE must be org:ID, team:ID, user:NAME or service:EMAIL', 2);
    const { under, name, tier } = context.options;
    const made = (await context.ask('POST', '/admin/units', {
      kind,
      id,
      ...(under === undefined ? {} : { parent: under }),
      ...(name === undefined ? {} : { name }),
      ...(tier === undefined ? {} : { tier }),
    })) as Unit;
    context.io.out(
      context.json ? JSON.stringify(made) : `Made ${made.scope}${made.parent ? ` under ${made.parent}` : ''}.`,
    );
    return 0;
  },
};

const list: Command = {
  name: 'unit list',
  usage: '',
  summary: 'List organisations, teams, users and service identities',
  help: [],
  options: {},
  words: [0, 0],
  run: async (context) => {
    const { data } = (await context.ask('GET', '/admin/units')) as { data: readonly Unit[] };
    if (context.json) context.io.out(JSON.stringify(data));
    else if (data.length === 0) context.io.out('No units yet. Make one: tollgate unit create team:NAME');
    else {
      const rows = data.map((unit) => [unit.scope, unit.name, unit.parent ?? '-', unit.tier ?? '-', String(unit.keys)]);
      for (const line of columns([['SCOPE', 'NAME', 'UNDER', 'TIER', 'KEYS'], ...rows])) context.io.out(line);
    }
    return 0;
  },
};

const remove: Command = {
  name: 'unit remove',
  usage: 'SCOPE',
  summary: 'Remove a unit that no other unit and no key in use stands under',
  help: [],
  options: {},
  words: [1, 1],
  run: async (context) => {
    const removed = (await context.ask('DELETE', `/admin/units/${encodeURIComponent(context.words[0] ?? '')}`)) as Unit;
    context.io.out(context.json ? JSON.stringify(removed) : `Removed ${removed.scope}.`);
    return 0;
  },
};

export const unitCommands: readonly Command[] = [create, list, remove];
