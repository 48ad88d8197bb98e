// `tollgate budget …`: limits from the terminal.

import { type Command, CommandError, type Context, columns } from './command.ts';

interface Budget {
  readonly id: string;
  readonly source: string;
  readonly scope: string;
  readonly limit: string;
  readonly per: string;
  readonly timezone: string;
  readonly soft: boolean;
  readonly on_exhausted: string;
  /** What its scope names and nobody has made. */
  readonly note?: string;
  readonly raise: { readonly limit: string; readonly until: string } | null;
}

interface Account {
  readonly id: string | null;
  readonly scope: string;
  readonly posted: number;
  readonly held: number;
  readonly available: number;
}

interface Listed {
  readonly budgets: readonly Budget[];
  readonly data: readonly Account[];
}

const which = [
  'BUDGET is an id of `tollgate budget list`, or a scope that has one budget: team:search.',
  'What the configuration file declares is changed there.',
];

const list: Command = {
  name: 'budget list',
  usage: '',
  summary: 'List the budgets with what is spent and left',
  help: ['Of a budget for each one (key:*) the accounts in use are counted, and the one with the least left is shown.'],
  options: {},
  words: [0, 0],
  run: async (context) => {
    const listed = await budgetsOf(context);
    if (context.json) context.io.out(JSON.stringify(listed));
    else if (listed.budgets.length === 0)
      context.io.out('No budgets. Make one: tollgate budget set team:search "20 USD" --per day');
    else {
      const head = ['ID', 'SCOPE', 'LIMIT', 'PER', 'SPENT', 'LEFT', 'NOTE'];
      for (const line of columns([head, ...listed.budgets.map((budget) => row(budget, listed.data))]))
        context.io.out(line);
    }
    return 0;
  },
};

const set: Command = {
  name: 'budget set',
  usage: 'SCOPE AMOUNT [--per PERIOD] [--timezone ZONE] [--alert LIST] [--soft|--hard] [--on-exhausted error|finish]',
  summary: 'Make a budget, or change the limit of one that is there',
  help: [
    'SCOPE            global, org:X, team:X, user:X, service:EMAIL, key:ID, end_user:X, tag:NAME=VALUE, run:X,',
    '                 model:PROVIDER/MODEL, provider:X; * for each one: "run:*"',
    'AMOUNT           "20 USD", 0.50',
    '--per PERIOD     minute, hour, day (default), week, month or lifetime',
    '--timezone ZONE  Where its windows begin: Europe/Berlin; UTC',
    '--alert LIST     Shares that are reported when they are passed: 50%,80%',
    '--soft           Report it when it is passed, refuse nobody; --hard ends that',
    '--on-exhausted   How a stream ends that has spent it: error (default), or finish, as at its output limit',
    '',
    'Of a budget that is there, what is not named stays as it is.',
  ],
  options: {
    per: 'string',
    timezone: 'string',
    alert: 'string',
    soft: 'boolean',
    hard: 'boolean',
    'on-exhausted': 'string',
  },
  words: [2, 2],
  run: async (context) => {
    const [scope = '', limit = ''] = context.words;
    const { per = 'day', timezone = 'UTC', alert, soft, hard, 'on-exhausted': ending } = context.options;
    if (soft && hard) throw new CommandError('--soft and --hard exclude each other', 2);
    if (ending !== undefined && ending !== 'error' && ending !== 'finish')
      throw new CommandError('--on-exhausted must be error or finish', 2);
    const settings = {
      limit,
      ...(typeof alert === 'string' ? { alert_at: alert.split(',').map((share) => share.trim()) } : {}),
      ...(soft || hard ? { soft: soft === true } : {}),
      ...(ending === undefined ? {} : { on_exhausted: ending }),
    };
    const { budgets } = await budgetsOf(context);
    const there = budgets.find(
      (budget) =>
        budget.source === 'api' &&
        budget.scope === scope &&
        budget.per === per &&
        (per === 'lifetime' || budget.timezone === timezone),
    );
    const made = there
      ? await context.ask('PATCH', pathOf(there), settings)
      : await context.ask('POST', '/admin/budgets', { scope, per, timezone, ...settings });
    return tell(context, made as Budget);
  },
};

const raise: Command = {
  name: 'budget raise',
  usage: 'BUDGET AMOUNT --until WHEN | BUDGET --none',
  summary: 'Lift a limit for a while; it ends by itself',
  help: [
    ...which,
    'AMOUNT        The higher limit: "50 USD"',
    '--until WHEN  How long: 30m, 4h, 2d; or a date such as 2026-12-31, or an ISO instant',
    '--none        End the raise now',
  ],
  options: { until: 'string', none: 'boolean' },
  words: [1, 2],
  run: async (context) => {
    const limit = context.words[1];
    const { until, none } = context.options;
    if (none ? limit !== undefined || until !== undefined : limit === undefined || typeof until !== 'string')
      throw new CommandError('give an amount and --until, or --none', 2);
    const budget = await find(context);
    const wanted = none ? null : { limit, until: instantOf(String(until)) };
    return tell(context, (await context.ask('PATCH', pathOf(budget), { raise: wanted })) as Budget);
  },
};

const remove: Command = {
  name: 'budget remove',
  usage: 'BUDGET',
  summary: 'Remove a budget; what was spent stays in the books',
  help: which,
  options: {},
  words: [1, 1],
  run: async (context) => {
    const budget = await find(context);
    const removed = await context.ask('DELETE', pathOf(budget));
    context.io.out(context.json ? JSON.stringify(removed) : `Removed ${budget.id}: ${sentence(budget)}.`);
    return 0;
  },
};

export const budgetCommands: readonly Command[] = [list, set, raise, remove];

async function budgetsOf({ ask }: Context): Promise<Listed> {
  return (await ask('GET', '/admin/budgets')) as Listed;
}

/** By id, or by a scope with one budget: lifting the wrong one of two would cost money. */
async function find(context: Context): Promise<Budget> {
  const wanted = context.words[0] ?? '';
  const { budgets } = await budgetsOf(context);
  const byId = budgets.find(({ id }) => id === wanted);
  if (byId) return byId;
  const ofScope = budgets.filter(({ scope }) => scope === wanted);
  const [only] = ofScope;
  if (only && ofScope.length === 1) return only;
  if (only)
    throw new CommandError(
      `${wanted} has ${ofScope.length} budgets; use an id: ${ofScope.map(({ id, per }) => `${id} (per ${per})`).join(', ')}`,
    );
  throw new CommandError(`there is no budget ${wanted}; tollgate budget list shows what there is`);
}

function pathOf({ id }: Budget): string {
  return `/admin/budgets/${encodeURIComponent(id)}`;
}

function tell(context: Context, budget: Budget): number {
  context.io.out(context.json ? JSON.stringify(budget) : `${budget.id}: ${sentence(budget)}`);
  if (budget.note !== undefined) context.io.error(`Note: ${budget.note}`);
  return 0;
}

function sentence({ scope, limit, per, soft, on_exhausted: ending, raise }: Budget): string {
  const until = raise ? `, raised to ${raise.limit} until ${raise.until}` : '';
  return `${scope} may spend ${limit} ${per === 'lifetime' ? 'in its lifetime' : `per ${per}`}${until}${ending === 'finish' ? ', then answers finish' : ''}${soft ? ' (soft)' : ''}`;
}

function row(budget: Budget, data: readonly Account[]): string[] {
  const accounts = data.filter(({ id }) => id === budget.id);
  const [least] = [...accounts].sort((one, other) => one.available - other.available);
  const notes = [
    ...(budget.scope.endsWith('*') ? [`${accounts.length} in use${least ? `, least: ${least.scope}` : ''}`] : []),
    ...(budget.raise ? [`raised to ${budget.raise.limit} until ${budget.raise.until}`] : []),
    ...(budget.soft ? ['soft'] : []),
    ...(budget.on_exhausted === 'finish' ? ['finish'] : []),
    ...(budget.source === 'api' ? [] : [budget.source]),
  ];
  const spent = least ? String(least.posted) : '-';
  return [
    budget.id,
    budget.scope,
    budget.limit,
    budget.per,
    spent,
    least ? String(least.available) : '-',
    notes.join('; '),
  ];
}

const spans: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function instantOf(text: string): string {
  const span = /^(\d{1,4})([mhd])$/.exec(text);
  const at = span ? Date.now() + Number(span[1]) * (spans[span[2] ?? ''] ?? 0) : Date.parse(text);
  if (Number.isNaN(at)) throw new CommandError('--until must be a time such as 4h, or a date such as 2026-12-31', 2);
  return new Date(at).toISOString();
}
