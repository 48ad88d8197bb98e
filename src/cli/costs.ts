// `tollgate costs`: what is paid beside requests, entered by hand or imported.

import { createHash } from 'node:crypto';
import { readCsv } from '../reconcile/csv.ts';
import { type Command, CommandError, columns } from './command.ts';
import { readText } from './reconcile.ts';

interface Entry {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly amount: string;
  readonly kind: string;
  readonly provider: string;
  readonly tags: Readonly<Record<string, string>>;
}

interface Added {
  readonly added: number;
  readonly known: number;
  readonly data: readonly Entry[];
}

const add: Command = {
  name: 'costs add',
  usage: 'KIND AMOUNT --from DAY [--to DAY] [--provider NAME] [--tags k=v,k=v] [--note TEXT]',
  summary: 'Enter a cost that no request made: training, an endpoint, a vector store, a subscription',
  help: [
    'KIND           training, endpoint, vector-store, subscription, or a word of your own',
    'AMOUNT         USD: 49.90',
    '--from DAY     First day, 2026-11-01 (UTC); --to DAY the last one, included',
    '',
    'Such costs stand beside what was spent, as other_costs; they are in no budget and in no total.',
  ],
  options: { from: 'string', to: 'string', provider: 'string', tags: 'string', note: 'string' },
  words: [2, 2],
  run: async (context) => {
    const { options, io, words } = context;
    const [kind = '', amount = ''] = words;
    const text = (name: string): string | undefined => (typeof options[name] === 'string' ? options[name] : undefined);
    const from = text('from');
    if (from === undefined) throw new CommandError('--from DAY is missing', 2);
    const entry = { kind, amount, from, to: text('to'), provider: text('provider'), note: text('note') };
    const body = { entries: [{ ...entry, tags: tagsOf(text('tags') ?? '') }] };
    const answer = (await context.ask('POST', '/admin/costs', body)) as Added;
    if (context.json) io.out(JSON.stringify(answer));
    else io.out(`${answer.data[0]?.id} entered.`);
    return 0;
  },
};

const load: Command = {
  name: 'costs import',
  usage: 'FILE',
  summary: 'Enter such costs from a CSV with named columns',
  help: [
    'FILE has the columns from, to, amount, kind, provider, note, and tag:NAME for each tag; from, amount and kind must be',
    'there. The same file again changes nothing.',
  ],
  options: {},
  words: [1, 1],
  run: async (context) => {
    const text = readText(context.words[0] ?? '');
    const [head = [], ...rows] = readCsv(text);
    const names = head.map((name) => name.trim().toLowerCase());
    for (const name of ['from', 'amount', 'kind'])
      if (!names.includes(name)) throw new CommandError(`the first line names no column ${name}`);
    const entries = rows.map((row) => {
      const cell = (name: string): string | undefined => row[names.indexOf(name)]?.trim() || undefined;
      const tags = names.flatMap((name, index) => {
        const value = row[index]?.trim();
        return name.startsWith('tag:') && value ? [[name.slice('tag:'.length), value]] : [];
      });
      const plain = ['from', 'to', 'amount', 'kind', 'provider', 'note'].map((name) => [name, cell(name)]);
      return { ...Object.fromEntries(plain), tags: Object.fromEntries(tags) };
    });
    if (entries.length === 0) throw new CommandError('the file has no lines');
    const name = createHash('sha256').update(text).digest('hex').slice(0, 32);
    const answer = (await context.ask('POST', '/admin/costs', { entries, import: name })) as Added;
    if (context.json) context.io.out(JSON.stringify(answer));
    else context.io.out(`${answer.added} entered${answer.known > 0 ? `, ${answer.known} were known` : ''}.`);
    return 0;
  },
};

const list: Command = {
  name: 'costs list',
  usage: '[--from 30d] [--to DATE]',
  summary: 'Costs that no request made',
  help: [],
  options: { from: 'string', to: 'string' },
  words: [0, 0],
  run: async (context) => {
    const query = new URLSearchParams();
    for (const name of ['from', 'to']) if (context.options[name]) query.set(name, String(context.options[name]));
    const answer = (await context.ask('GET', `/admin/costs?${query}`)) as { data: readonly Entry[]; total: number };
    if (context.json) {
      context.io.out(JSON.stringify(answer));
      return 0;
    }
    const rows = answer.data.map((each) => [
      each.from,
      each.to,
      each.kind,
      each.provider,
      each.amount,
      Object.entries(each.tags)
        .map(([name, value]) => `${name}=${value}`)
        .join(','),
      each.id,
    ]);
    for (const line of columns([['FROM', 'TO', 'KIND', 'PROVIDER', 'USD', 'TAGS', 'ID'], ...rows]))
      context.io.out(line);
    context.io.out(`${answer.total} USD in all.`);
    return 0;
  },
};

export const costCommands: readonly Command[] = [add, load, list];

function tagsOf(text: string): Record<string, string> {
  const pairs = text.split(',').filter((pair) => pair.trim() !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new CommandError('--tags must be written as team=search,project=x', 2);
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    }),
  );
}
