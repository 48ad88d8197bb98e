// `tollgate reconcile`: a provider's bill held against the books of a running gateway.

import { readFileSync } from 'node:fs';
import { type Command, CommandError, columns } from './command.ts';

interface Line {
  readonly day: string;
  readonly model: string;
  readonly requests: number;
  readonly ours: number;
  readonly theirs: number;
  readonly difference: number;
  readonly percent: number | null;
  readonly estimated: number | null;
}

interface Reconciled {
  readonly kind: string;
  readonly days: number;
  readonly days_not_over: readonly string[];
  readonly lines: readonly Line[];
  readonly total: Pick<Line, 'ours' | 'theirs' | 'difference' | 'percent'>;
  readonly differing: number;
  readonly corrected: number;
}

const reconcile: Command = {
  name: 'reconcile',
  usage: 'FILE --provider NAME [--apply]',
  summary: "Hold a provider's usage or cost export against the books; with --apply, correct them",
  help: [
    'FILE               JSON of /v1/organization/usage/completions or /costs (OpenAI, bucket_width=1d, by model or line',
    '                   item), of /v1/organizations/usage_report/messages or /cost_report (Anthropic), or CSV with the',
    '                   columns day, model and cost, or day, model, input_tokens, cached_input_tokens, output_tokens',
    '--provider NAME    The provider, as the configuration names it',
    '--apply            Write one correction for each day and model that differs; the same file again changes nothing',
    '',
    'Exit code 1 where the books and the bill differ and nothing was corrected.',
  ],
  options: { provider: 'string', apply: 'boolean' },
  words: [1, 1],
  run: async (context) => {
    const { options, io } = context;
    const [file = ''] = context.words;
    if (typeof options.provider !== 'string') throw new CommandError('--provider NAME is missing', 2);
    const body = { provider: options.provider, text: readText(file), apply: options.apply === true };
    const answer = (await context.ask('POST', '/admin/reconcile', body)) as Reconciled;
    if (context.json) io.out(JSON.stringify(answer));
    else for (const line of lines(answer)) io.out(line);
    return answer.differing > 0 && answer.corrected === 0 && options.apply !== true ? 1 : 0;
  },
};

export const reconcileCommands: readonly Command[] = [reconcile];

export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandError(`${file} cannot be read (${(error as { code?: string }).code ?? 'unreadable'})`);
  }
}

function lines(answer: Reconciled): string[] {
  const amount = (usd: number | null): string => (usd === null ? '?' : usd.toFixed(6));
  const share = (of: number | null): string => (of === null ? '' : `${of} %`);
  const rows = answer.lines.map((line) => [
    line.day,
    line.model,
    String(line.requests),
    amount(line.ours),
    amount(line.theirs),
    amount(line.difference),
    share(line.percent),
    line.estimated === 0 ? '' : amount(line.estimated),
  ]);
  const { total } = answer;
  const sum = [
    'total',
    '',
    '',
    amount(total.ours),
    amount(total.theirs),
    amount(total.difference),
    share(total.percent),
    '',
  ];
  const head = ['DAY', 'MODEL', 'REQUESTS', 'OURS', 'THEIRS', 'DIFFERENCE', 'PERCENT', 'OURS, ESTIMATED'];
  return [
    ...columns([head, ...rows, sum]),
    ...(answer.days_not_over.length > 0 ? [`Left out, not over yet: ${answer.days_not_over.join(', ')}.`] : []),
    finding(answer),
  ];
}

function finding({ lines, differing, corrected }: Reconciled): string {
  if (lines.length === 0) return 'Nothing was compared: the bill has no day that is over.';
  if (corrected > 0) return `Corrections written: ${corrected}.`;
  return differing > 0
    ? `Lines that differ: ${differing}. --apply corrects them by new rows.`
    : 'The books equal the bill.';
}
