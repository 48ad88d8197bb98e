// `tollgate ledger verify`: proves the books from the journal, beside a running gateway or without one.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadCatalogue } from '../config/catalogue.ts';
import type { Loaded } from '../config/config.ts';
import { findConfigFile, loadConfigFile } from '../config/file.ts';
import { formatUsd } from '../exchange/money.ts';
import { createPrices } from '../price/price.ts';
import { type Command, CommandError, type Context, columns } from './command.ts';
import { isInUse } from './lock.ts';
import { verifyAll } from './verify/all.ts';
import type { Costs } from './verify/totals.ts';
import type { Pricing, Standing, Verified } from './verify/verify.ts';

const verifyCommand: Command = {
  name: 'ledger verify',
  usage: '[--json]',
  summary: 'Prove that no money is lost or counted twice, from the journal alone',
  help: [
    'Reads every journal of the folder with a reader of its own and adds it up; then asks the running gateway for its accounts,',
    'budgets and reports, and prices every charge again. Says OK, or names each difference and ends with 1.',
    'It runs where the data folder is, while the gateway serves; with --offline it opens the folder itself, which',
    'closes what a dead process left open, as a start would.',
  ],
  options: {},
  words: [0, 0],
  run: async (context) => {
    const loaded = loadedFor(context);
    const folder = loaded.settings.dataFolder;
    if (!existsSync(join(folder, 'journal')))
      throw new CommandError(
        `there is no journal in ${loaded.settings.dataFolder}; run this where the data folder is, or set TOLLGATE_DATA`,
      );
    // Another gateway's accounts against this journal differ in everything, or in nothing where both are new.
    if (context.options.offline !== true && !isInUse(folder))
      throw new CommandError(
        `no gateway has ${folder} open, so ${context.url()}, if one answers there, serves another folder: set TOLLGATE_DATA to that, or prove this one with --offline`,
      );
    const found = await verifyAll(
      folder,
      {
        standing: async (worker) => (await context.ask('GET', `/admin/ledger?worker=${worker}`)) as Standing,
        costs: async (from) =>
          (await context.ask('GET', `/admin/analytics/costs${from === undefined ? '' : `?from=${from}`}`)) as Costs,
      },
      pricingOf(loaded),
    );
    if (context.json) context.io.out(JSON.stringify(found));
    else for (const line of verdict(found)) context.io.out(line);
    return found.ok ? 0 : 1;
  },
};

export const ledgerCommands: readonly Command[] = [verifyCommand];

export function loadedFor({ environment, options, io }: Context): Loaded {
  const named = typeof options.config === 'string' ? { named: options.config } : {};
  return loadConfigFile(findConfigFile({ environment, ...named }), environment, io.table, true);
}

/** As the gateway of this configuration prices. */
export function pricingOf({ snapshot }: Loaded): Pricing {
  return {
    prices: createPrices(loadCatalogue()),
    rules: snapshot.prices,
    catalogueOf: (provider) => snapshot.providers.get(provider)?.catalogue ?? provider,
  };
}

export function verdict(found: Verified): string[] {
  const { rows, segments, receipts, corrections, cost, open, accounts, priced, unpriced } = found;
  const lines = columns([
    ['PROMISE', 'FOUND'],
    ...found.promises.map(({ promise, text, differences }) => {
      const said =
        differences > 0
          ? many(differences, 'difference')
          : found.notCompared.includes(promise)
            ? 'not compared'
            : 'holds';
      return [text, said];
    }),
  ]);
  lines.push(
    '',
    `${many(rows, 'row')} in ${many(segments, 'file')}: ${many(receipts, 'receipt')} of ${formatUsd(cost)} USD, ${many(corrections, 'correction')}, ${many(open, 'open hold')}, ${many(accounts, 'account')}.`,
    `${many(priced, 'charge')} priced again${unpriced > 0 ? `; ${unpriced} more by versions that are not at hand` : ''}.`,
  );
  if (found.comparedFrom !== undefined)
    lines.push(
      `Older files are gone; reports are compared from ${new Date(found.comparedFrom).toISOString().slice(0, 10)} on.`,
    );
  for (const { what } of found.differences) lines.push(`  ${what}`);
  lines.push(found.ok ? 'OK' : 'The books differ.');
  return lines;
}

function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
