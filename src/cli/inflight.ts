// `tollgate top` and `tollgate kill`: what is in flight, and how to end it.

import { type Command, CommandError, type Context, columns } from './command.ts';
import { findKey } from './key.ts';

interface Line {
  readonly id: string;
  readonly phase: string;
  readonly key_name: string;
  readonly run: string | null;
  readonly asked: string;
  readonly provider: string | null;
  readonly model: string | null;
  readonly seconds: number;
  readonly output_characters: number;
  readonly cost: number;
  readonly held: number;
}

interface Seen {
  readonly data: readonly Line[];
  readonly total: number;
  readonly cost: number;
  readonly held: number;
}

const rowsAtMost = 1_000;

const top: Command = {
  name: 'top',
  usage: '[--key KEY] [--run NAME]',
  summary: 'What is in flight now; in a terminal, live',
  help: [
    '--key KEY    Only this key, by its id or a name that only one key has',
    '--run NAME   Only this run',
    '',
    'Renewed every second until you end it; once, as plain text, where standard output is no terminal, and with --json.',
    'COST is what a request would be charged if it ended now, HELD what is set aside for it.',
  ],
  options: { key: 'string', run: 'string' },
  words: [0, 0],
  run: async (context) => {
    const { screen, out } = context.io;
    const { key, run } = context.options;
    const only = {
      ...(key === undefined ? {} : { key: (await findKey(context, String(key), { past: true })).id }),
      ...(run === undefined ? {} : { run: String(run) }),
    };
    if (context.json || !screen) {
      const seen = await look(context, rowsAtMost, only);
      if (context.json) out(JSON.stringify(seen));
      else for (const line of table(seen)) out(line);
      return 0;
    }
    for (;;) {
      const { rows, width } = screen.size();
      const lines = table(await look(context, Math.max(1, rows - 4), only)).slice(0, rows - 1);
      if (!(await screen.show(lines.map((line) => line.slice(0, width))))) return 0;
    }
  },
};

async function look(context: Context, limit: number, only: Readonly<Record<string, string>>): Promise<Seen> {
  const query = new URLSearchParams({ limit: String(limit), ...only });
  return (await context.ask('GET', `/admin/inflight?${query}`)) as Seen;
}

function table({ data, total, cost, held }: Seen): string[] {
  const head = `${total} in flight, ${dollars(cost)} so far, ${dollars(held)} held`;
  if (data.length === 0) return [head];
  const rows = data.map((line) => [
    line.id,
    `${line.seconds.toFixed(1)}s`,
    line.phase,
    plain(line.key_name),
    plain(line.run ?? '-'),
    plain(line.provider === null ? line.asked : `${line.provider}/${line.model}`),
    String(line.output_characters),
    dollars(line.cost),
    dollars(line.held),
  ]);
  return [head, '', ...columns([['ID', 'AGE', 'PHASE', 'KEY', 'RUN', 'MODEL', 'CHARACTERS', 'COST', 'HELD'], ...rows])];
}

function dollars(usd: number): string {
  return `${usd.toFixed(4)} USD`;
}

/** Names come from clients: nothing in them may move the cursor of whoever looks. */
function plain(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a1-\uffff]/g, '?').slice(0, 40);
}

const kill: Command = {
  name: 'kill',
  usage: 'ID | --run NAME | --key KEY',
  summary: 'End a request, or everything of a run or a key, on every instance',
  help: [
    'ID           A request as `tollgate top` has it',
    '--run NAME   Everything with this X-Tollgate-Run, whatever its key',
    '--key KEY    Everything of a key, by its id or a name that only one key has',
    '',
    'Streams end with an error, requests that wait are refused, and what they cost so far is charged. A kill ends what',
    'runs and keeps nobody from coming again: tollgate key revoke does. Ends with 1 where nothing ran by that name.',
  ],
  options: { run: 'string', key: 'string' },
  words: [0, 1],
  run: async (context) => {
    const [id] = context.words;
    const { run, key } = context.options;
    const given = [id, run, key].filter((each) => each !== undefined);
    if (given.length !== 1) throw new CommandError(`usage: tollgate kill ${kill.usage}`, 2);
    const wanted =
      id !== undefined
        ? { request: id }
        : run !== undefined
          ? { run }
          : { key: (await findKey(context, String(key))).id };
    const ended = (await context.ask('POST', '/admin/kill', wanted)) as Ended;
    // Where others may run it, that nothing runs here says nothing.
    const failed = !ended.others_told || (ended.found === 0 && !ended.elsewhere);
    if (context.json) context.io.out(JSON.stringify(ended));
    else (failed ? context.io.error : context.io.out)(told(ended));
    return failed ? 1 : 0;
  },
};

interface Ended {
  readonly what: string;
  readonly id: string;
  readonly found: number;
  readonly ended_here: number;
  readonly others_told: boolean;
  readonly elsewhere: boolean;
}

function told({ what, id, found, ended_here: here, others_told: others, elsewhere }: Ended): string {
  const name = `the ${what} ${plain(id)}`;
  if (!others) return `Ended ${here} of ${name} here; the store is away, so nobody else was told.`;
  const said = found === 0 ? `Nothing in flight${elsewhere ? ' here' : ''} of ${name}` : `Ended ${found} of ${name}`;
  return `${said}${elsewhere ? '; other instances, where there are any, were told.' : '.'}`;
}

export const inflightCommands: readonly Command[] = [top, kill];
