// `tollgate spend` and `tollgate price`: what was spent, and what a model costs.

import { type Command, CommandError, columns } from './command.ts';
import { findKey } from './key.ts';

interface Line {
  readonly requests: number;
  readonly cost: number;
  readonly [name: string]: unknown;
}

interface Spending {
  readonly total_cost: number;
  readonly total_requests: number;
  readonly failed_requests: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly by_model: readonly Line[];
  readonly by_key: readonly Line[];
  readonly by_day: readonly Line[];
}

const spend: Command = {
  name: 'spend',
  usage: '[--from 7d] [--to DATE] [--by model|key|day] [--key KEY]',
  summary: 'What was spent, by model, key or day',
  help: [
    '--from SPAN   Since when: 24h, 7d (default), 4w, or a date such as 2026-01-01',
    '--to DATE     Until when, excluded; now',
    '--by WHAT     model (default), key or day',
    '--key KEY     Only this key, by its id or a name that only one key has; a revoked one too',
  ],
  options: { from: 'string', to: 'string', by: 'string', key: 'string' },
  words: [0, 0],
  run: async (context) => {
    const by = context.options.by ?? 'model';
    if (by !== 'model' && by !== 'key' && by !== 'day') throw new CommandError('--by must be model, key or day', 2);
    const query = new URLSearchParams({ from: String(context.options.from ?? '7d') });
    const { to, key } = context.options;
    if (to !== undefined) query.set('to', String(to));
    // What nobody has spent nothing: a typo must not be answered with a zero.
    if (key !== undefined) query.set('key', (await findKey(context, String(key), { past: true })).id);
    const answer = (await context.ask('GET', `/admin/analytics/costs?${query}`)) as Spending;
    if (context.json) {
      context.io.out(JSON.stringify(answer));
      return 0;
    }
    const name = (line: Line) =>
      by === 'model' ? modelOf(line) : by === 'key' ? String(line.name ?? line.key_id) : String(line.day);
    const rows = answer[`by_${by}`].map((line) => [name(line), String(line.requests), decimal(line.cost)]);
    const total = ['total', String(answer.total_requests), decimal(answer.total_cost)];
    for (const line of columns([[by.toUpperCase(), 'REQUESTS', 'USD'], ...rows, total])) context.io.out(line);
    if (answer.failed_requests > 0)
      context.io.out(`Failed (an error, a timeout or a crash): ${answer.failed_requests}.`);
    return 0;
  },
};

/** Requests that were refused, or left, before a provider was called have none. */
function modelOf({ provider, model }: Line): string {
  return provider === '' ? '(no provider called)' : `${provider}/${model}`;
}

interface Price {
  readonly provider: string;
  readonly model: string;
  readonly known: boolean;
  readonly free?: boolean;
  readonly fix?: string;
  readonly source?: string;
  readonly tiers?: readonly {
    readonly above_input_tokens: number;
    readonly usd_per_million_tokens: Readonly<Record<string, number>>;
    readonly usd_per_piece: Readonly<Record<string, number>>;
  }[];
}

const price: Command = {
  name: 'price',
  usage: 'MODEL',
  summary: 'What a model costs now, at each of its targets',
  help: ['MODEL is a name of the configuration, provider/model, or a bare model name.'],
  options: {},
  words: [1, 1],
  run: async (context) => {
    const [model = ''] = context.words;
    const path = `/admin/prices?model=${encodeURIComponent(model)}`;
    const answer = (await context.ask('GET', path)) as { targets: readonly Price[] };
    if (context.json) context.io.out(JSON.stringify(answer));
    else for (const target of answer.targets) for (const line of priceLines(target)) context.io.out(line);
    return answer.targets.every((target) => target.known) ? 0 : 1;
  },
};

export const moneyCommands: readonly Command[] = [spend, price];

function priceLines(target: Price): string[] {
  const head = `${target.provider}/${target.model}`;
  if (!target.known) return [`${head}: no known price, so requests are refused. In tollgate.yaml: ${target.fix}`];
  if (target.free) return [`${head}: free, by the configuration`];
  const lines = (target.tiers ?? []).flatMap((tier) => [
    ...(tier.above_input_tokens > 0 ? [[`above ${tier.above_input_tokens} input tokens`, '']] : []),
    ...Object.entries(tier.usd_per_million_tokens).map(([name, usd]) => [
      `  ${words(name)}`,
      `${decimal(usd)} USD per million tokens`,
    ]),
    ...Object.entries(tier.usd_per_piece).map(([name, usd]) => [`  ${words(name)}`, `${decimal(usd)} USD each`]),
  ]);
  return [`${head} (${target.source})`, ...columns(lines)];
}

function words(name: string): string {
  return name.replaceAll('_', ' ');
}

/** Without an exponent: 1e-7 is no amount that a person reads. */
function decimal(usd: number): string {
  const text = String(usd);
  return text.includes('e') ? usd.toFixed(12).replace(/\.?0+$/, '') : text;
}
