// `tollgate catalog`: the prices in force, and their update from a file or an address, looked at before it is taken.

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type Command, CommandError, type Context, columns } from './command.ts';

interface State {
  readonly version: string;
  readonly source: string;
  readonly applied_at: string | null;
  readonly problem: string | null;
}

interface Shown extends State {
  readonly providers?: readonly { readonly name: string; readonly models: number }[];
  readonly models?: readonly Priced[];
}

interface Priced {
  readonly model: string;
  readonly known: boolean;
  readonly free?: boolean;
  readonly tiers?: readonly {
    readonly above_input_tokens: number;
    readonly usd_per_million_tokens: Readonly<Record<string, number>>;
    readonly usd_per_piece: Readonly<Record<string, number>>;
  }[];
}

interface Change {
  readonly model: string;
  readonly price: string;
  readonly unit: string;
  readonly above_input_tokens: number;
  readonly from: number | null;
  readonly to: number | null;
  readonly starts: string | null;
}

interface Update {
  readonly applied: boolean;
  readonly checksum: string;
  readonly models: number;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly Change[];
  readonly jumps: readonly string[];
  readonly missing: readonly string[];
  readonly catalogue: State;
}

/** Lines of a kind that are shown before the rest is counted; --json has all. */
const shownLines = 40;

const show: Command = {
  name: 'catalog show',
  usage: '[PROVIDER]',
  summary: 'Which price catalogue is in force, and what it has; of a provider each model with its price',
  help: [
    'PROVIDER   One that is configured: its models, in USD per million tokens, by the prices of the configuration first',
    '',
    'tollgate price MODEL shows everything that one model costs.',
  ],
  options: {},
  words: [0, 1],
  run: async (context) => {
    const [provider] = context.words;
    const query = provider === undefined ? '' : `?provider=${encodeURIComponent(provider)}`;
    const shown = (await context.ask('GET', `/admin/catalogue${query}`)) as Shown;
    if (context.json) context.io.out(JSON.stringify(shown));
    else for (const line of [...stateLines(shown), ...pricedLines(shown)]) context.io.out(line);
    return shown.problem === null ? 0 : 1;
  },
};

const update: Command = {
  name: 'catalog update',
  usage: '[--from FILE|URL] [--yes] [--yes-jumps NAMES] [--yes-missing NAMES] [--force]',
  summary: 'Show what newer prices would change; with --yes put them in force',
  help: [
    '--from FILE|URL      A price feed; without it the one that the genai-prices project publishes',
    '--yes                Put it in force; without it the difference is only shown',
    '--yes-jumps NAMES    Models, separated by commas, whose price may jump five-fold or vanish; or all',
    '--yes-missing NAMES  Providers and models that may be gone; or all',
    '--force              Take prices above 10000 USD per million tokens as well',
    '',
    'A feed that is empty, cut off or of another shape is refused, and the prices in force stay. Each charge keeps the',
    'version of the prices that it was made with.',
  ],
  options: { from: 'string', yes: 'boolean', 'yes-jumps': 'string', 'yes-missing': 'string', force: 'boolean' },
  words: [0, 0],
  run: async (context) => {
    const { options, io } = context;
    const body = { ...origin(context), ...(options.force === true ? { force: true } : {}) };
    const seen = (await context.ask('POST', '/admin/catalogue', body)) as Update;
    if (!context.json) for (const line of differenceLines(seen)) io.out(line);
    const jumps = listed(options['yes-jumps']);
    const missing = listed(options['yes-missing']);
    const open = [
      ...unconfirmed(seen.jumps, jumps, '--yes-jumps'),
      ...unconfirmed(seen.missing, missing, '--yes-missing'),
    ];
    if (options.yes !== true || open.length > 0) {
      if (context.json) io.out(JSON.stringify(seen));
      for (const line of open) io.error(line);
      if (!context.json && open.length === 0) io.out('Nothing is changed yet: --yes puts these prices in force.');
      return open.length > 0 ? 1 : 0;
    }
    // What is applied is what was shown: the gateway refuses another feed than the one of this checksum.
    const applied = { ...body, apply: true, checksum: seen.checksum, jumps, missing };
    const done = (await context.ask('POST', '/admin/catalogue', applied)) as Update;
    if (context.json) io.out(JSON.stringify(done));
    else for (const line of stateLines(done.catalogue)) io.out(line);
    return 0;
  },
};

export const catalogCommands: readonly Command[] = [show, update];

function origin({ options }: Context): Record<string, string> {
  const from = typeof options.from === 'string' ? options.from : undefined;
  if (from === undefined) return {};
  if (/^[a-z]+:\/\//i.test(from)) return { from };
  try {
    return { feed: readFileSync(from, 'utf8'), name: basename(from) };
  } catch (error) {
    throw new CommandError(`${from} cannot be read (${(error as { code?: string }).code ?? 'unreadable'})`);
  }
}

function listed(option: string | boolean | undefined): string[] {
  return typeof option === 'string'
    ? option
        .split(',')
        .map((name) => name.trim())
        .filter(Boolean)
    : [];
}

function unconfirmed(names: readonly string[], confirmed: readonly string[], option: string): string[] {
  if (confirmed.includes('all')) return [];
  const left = names.filter((name) => !confirmed.includes(name));
  return left.length > 0 ? [`Not confirmed: ${left.join(', ')}. If it is meant: ${option} ${left.join(',')}`] : [];
}

function stateLines({ version, source, applied_at: at, problem }: State): string[] {
  return [
    `${version} (${source}${at ? `, ${at}` : ''}) is in force.`,
    ...(problem ? [`The stored catalogue is not: ${problem}.`] : []),
  ];
}

function pricedLines({ providers, models }: Shown): string[] {
  const rows = models
    ? models.map(pricedRow)
    : (providers ?? []).map(({ name, models: count }) => [
        name,
        count === 0 ? 'none: priced by prices: alone' : String(count),
      ]);
  if (rows.length === 0) return [];
  const head = models ? ['MODEL', 'INPUT', 'CACHED', 'OUTPUT', 'NOTE'] : ['PROVIDER', 'MODELS IN THE CATALOGUE'];
  return ['', ...columns([head, ...rows]), ...(models ? ['', 'USD per million tokens.'] : [])];
}

function pricedRow({ model, known, free, tiers = [] }: Priced): string[] {
  if (!known) return [model, '-', '-', '-', 'no price'];
  if (free) return [model, '0', '0', '0', 'free'];
  const [first, ...higher] = tiers;
  const price = (name: string): string => amount(first?.usd_per_million_tokens[name] ?? null);
  const notes = [
    ...higher.map((tier) => `other above ${tier.above_input_tokens} input tokens`),
    ...Object.entries(first?.usd_per_piece ?? {}).map(
      ([name, usd]) => `${name.replaceAll('_', ' ')} ${amount(usd)} each`,
    ),
  ];
  return [model, price('input'), price('cache_read'), price('output'), notes.join('; ')];
}

function differenceLines({ models, added, removed, changed }: Update): string[] {
  const rows = changed.map((each) => [
    `  ${each.model}`,
    each.price.replaceAll('_', ' ') + (each.above_input_tokens > 0 ? ` above ${each.above_input_tokens}` : ''),
    `${amount(each.from)} -> ${amount(each.to)} ${each.unit}${each.starts ? ` from ${each.starts.slice(0, 10)}` : ''}`,
  ]);
  return [
    `${models} models; ${added.length} added, ${removed.length} removed, ${changed.length} prices changed.`,
    ...some(
      'Added',
      added.map((name) => `  ${name}`),
    ),
    ...some(
      'Removed',
      removed.map((name) => `  ${name}`),
    ),
    ...some('Changed', columns(rows)),
  ];
}

function some(head: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const rest = lines.length - shownLines;
  return [`${head}:`, ...lines.slice(0, shownLines), ...(rest > 0 ? [`  and ${rest} more; --json has all`] : [])];
}

/** Without an exponent. */
function amount(usd: number | null): string {
  if (usd === null) return 'none';
  const text = String(usd);
  return text.includes('e') ? usd.toFixed(12).replace(/\.?0+$/, '') : text;
}
