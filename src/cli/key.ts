// `tollgate key …`: virtual keys from the terminal.

import { type Ask, type Command, CommandError, type Context, columns } from './command.ts';

interface Key {
  readonly id: string;
  readonly name: string;
  readonly hint: string;
  readonly status: string;
  readonly key?: string;
  readonly budget: { readonly limit: string; readonly per: string } | null;
  readonly owner?: string | null;
  readonly allowed_models?: readonly string[];
  readonly created_at: string;
  readonly expires_at?: string | null;
  readonly revoked_at?: string | null;
}

const create: Command = {
  name: 'key create',
  usage:
    'NAME [--budget AMOUNT] [--per PERIOD] [--models LIST] [--expires DATE] [--owner SCOPE] [--forbid LIST] [--pin LIST] [--tier TIER]',
  summary: 'Make a virtual key and print it, this once',
  help: [
    '--budget AMOUNT   What it may spend: "5 USD", 0.50',
    '--per PERIOD      minute, hour, day (default), week, month or lifetime',
    '--models LIST     What it may ask for, comma-separated, * allowed: gpt-4o,anthropic/*',
    '--expires DATE    From when it is refused: 2026-12-31, or an ISO instant',
    '--owner SCOPE     The unit it belongs to, whose budgets then count too: team:search (see tollgate unit create)',
    '--forbid LIST     What its requests may not name: run, tag, end_user',
    '--pin LIST        What its requests are taken to name, whatever they say: end_user=ann,tag:team=a,run=nightly',
    '--tier TIER       A word such as gold',
    '',
    'The key alone goes to standard output:  KEY=$(tollgate key create ci --budget "5 USD")',
  ],
  options: {
    budget: 'string',
    per: 'string',
    models: 'string',
    expires: 'string',
    owner: 'string',
    forbid: 'string',
    pin: 'string',
    tier: 'string',
  },
  words: [1, 1],
  run: async (context) => {
    const { budget, per, models, expires, owner, tier } = context.options;
    const claims = claimsOf(context.options);
    if (per && !budget) throw new CommandError('--per needs --budget', 2);
    const made = (await context.ask('POST', '/admin/keys', {
      name: context.words[0],
      ...(budget ? { budget: { limit: budget, per: per ?? 'day' } } : {}),
      ...(typeof models === 'string' ? { allowed_models: listOf(models) } : {}),
      ...(typeof expires === 'string' ? { expires_at: instantOf(expires) } : {}),
      ...(owner === undefined ? {} : { owner }),
      ...(claims === undefined ? {} : { claims }),
      ...(tier === undefined ? {} : { tier }),
    })) as Key;
    if (context.json) context.io.out(JSON.stringify(made));
    else {
      context.io.out(made.key ?? '');
      context.io.error(`Key ${made.id} (${made.name}), ${budgetOf(made)}. It is not shown again.`);
    }
    return 0;
  },
};

const heads = ['ID', 'NAME', 'KEY', 'STATUS', 'BUDGET', 'OWNER', 'MODELS', 'EXPIRES', 'CREATED'];

const list: Command = {
  name: 'key list',
  usage: '',
  summary: 'List the virtual keys',
  help: [],
  options: {},
  words: [0, 0],
  run: async (context) => {
    const data = await keysOf(context.ask);
    if (context.json) context.io.out(JSON.stringify(data));
    else if (data.length === 0) context.io.out('No keys yet. Make one: tollgate key create NAME');
    else {
      const rows = data.map((key) => [
        key.id,
        key.name,
        key.hint,
        key.status,
        budgetOf(key),
        key.owner ?? '-',
        modelsOf(key),
        key.expires_at?.slice(0, 10) ?? '-',
        key.created_at.slice(0, 10),
      ]);
      for (const line of columns([heads, ...rows])) context.io.out(line);
    }
    return 0;
  },
};

const revoke: Command = {
  name: 'key revoke',
  usage: 'ID',
  summary: 'Revoke a key; it acts at once and cannot be undone',
  help: ['ID is the id of `tollgate key list`, or a name that only one key has.'],
  options: {},
  words: [1, 1],
  run: async (context) => {
    const key = await find(context);
    const revoked = await context.ask('DELETE', `/admin/keys/${encodeURIComponent(key.id)}`);
    context.io.out(context.json ? JSON.stringify(revoked) : `Revoked ${key.id} (${key.name}).`);
    return 0;
  },
};

const budget: Command = {
  name: 'key budget',
  usage: 'ID [AMOUNT [--per PERIOD] | --none]',
  summary: 'Show, set or remove the budget of a key',
  help: [
    'AMOUNT          What it may spend: "5 USD", 0.50',
    '--per PERIOD    minute, hour, day (default), week, month or lifetime',
    '--none          Remove the budget; those of the configuration still hold',
  ],
  options: { per: 'string', none: 'boolean' },
  words: [1, 2],
  run: async (context) => {
    const amount = context.words[1];
    const { per, none } = context.options;
    if (amount !== undefined && none) throw new CommandError('give an amount or --none, not both', 2);
    if (per && amount === undefined) throw new CommandError('--per needs an amount', 2);
    const key = await find(context);
    const change = none ? { budget: null } : { budget: { limit: amount, per: per ?? 'day' } };
    const path = `/admin/keys/${encodeURIComponent(key.id)}`;
    const shown = amount === undefined && !none ? key : ((await context.ask('PATCH', path, change)) as Key);
    context.io.out(context.json ? JSON.stringify(shown) : `${shown.id} (${shown.name}): ${budgetOf(shown)}`);
    return 0;
  },
};

export const keyCommands: readonly Command[] = [create, list, revoke, budget];

async function keysOf(ask: Ask): Promise<readonly Key[]> {
  return ((await ask('GET', '/admin/keys')) as { data: readonly Key[] }).data;
}

/**
 * By id, or by a name that is in use once: revoking the wrong one of two would be an outage. `past` takes a revoked key
 * by its name too, where no active one has it. Throws `CommandError`.
 */
export async function findKey(
  context: Context,
  wanted: string,
  options: { readonly past?: boolean } = {},
): Promise<Pick<Key, 'id' | 'name'>> {
  return find(context, wanted, options.past);
}

async function find(context: Context, wanted = context.words[0] ?? '', past = false): Promise<Key> {
  const keys = await keysOf(context.ask);
  const byId = keys.find((key) => key.id === wanted);
  if (byId) return byId;
  const alike = keys.filter((key) => key.name === wanted);
  const active = alike.filter((key) => key.status === 'active');
  const named = past && active.length === 0 ? alike : active;
  if (named.length === 1 && named[0]) return named[0];
  if (named.length > 1)
    throw new CommandError(
      `${named.length} keys are named ${wanted}; use an id: ${named.map((key) => key.id).join(', ')}`,
    );
  if (alike.length === 0) throw new CommandError(`there is no key ${wanted}; tollgate key list shows what there is`);
  const cure = alike.some((key) => key.status === 'expired') ? 'its id still names it' : 'make a new one';
  throw new CommandError(`no key ${wanted} is in force: ${alike.map(endOf).join(', ')}; ${cure}`);
}

function endOf({ id, status, revoked_at: revoked, expires_at: expired }: Key): string {
  return status === 'revoked' ? `${id} was revoked at ${revoked}` : `${id} expired at ${expired}`;
}

/** Two of them, and how many more: the whole list is in --json. */
function modelsOf({ allowed_models: models = [] }: Key): string {
  const more = models.length > 2 ? [`+${models.length - 2}`] : [];
  return [...models.slice(0, 2), ...more].join(',') || '-';
}

function budgetOf(key: Key): string {
  return key.budget ? `${key.budget.limit} per ${key.budget.per}` : 'no budget of its own';
}

function instantOf(text: string): string {
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new CommandError('--expires must be a date such as 2026-12-31', 2);
  return new Date(at).toISOString();
}

function listOf(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

function claimsOf({ forbid, pin }: Context['options']): Record<string, unknown> | undefined {
  if (typeof forbid !== 'string' && typeof pin !== 'string') return undefined;
  return {
    ...(typeof forbid === 'string' ? { forbid: listOf(forbid) } : {}),
    ...(typeof pin === 'string' ? { pin: pinsOf(pin) } : {}),
  };
}

function pinsOf(text: string): Record<string, unknown> {
  const pins: { run?: string; end_user?: string; tag?: Record<string, string> } = {};
  for (const part of listOf(text)) {
    const [, kind, tag, value] = /^(run|end_user|tag:([^=]+))=(.+)$/.exec(part) ?? [];
    if (value === undefined) throw new CommandError('--pin wants run=NAME, end_user=NAME or tag:NAME=VALUE', 2);
    if (tag !== undefined) pins.tag = { ...pins.tag, [tag]: value };
    else if (kind === 'run') pins.run = value;
    else pins.end_user = value;
  }
  return pins;
}
