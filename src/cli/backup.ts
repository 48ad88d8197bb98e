// `tollgate backup` and `tollgate restore`: everything that lasts, copied while the gateway runs, and put back.

import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Command, CommandError } from './command.ts';
import { copy, copyJournal, copySecrets, copyStore, readManifest, storeName, writeManifest } from './copy.ts';
import { loadedFor, pricingOf } from './ledger.ts';
import { takeLock } from './lock.ts';
import { journalsOf, verifyAll } from './verify/all.ts';
import type { Verified } from './verify/verify.ts';

const backupCommand: Command = {
  name: 'backup',
  usage: 'DIR',
  summary: 'Copy journal, store and secrets into a new folder, while the gateway runs',
  help: [
    'DIR must not exist, or be empty. It will hold secrets (the pepper of the keys, the admin token): keep it as safe',
    'as the data folder. A store in PostgreSQL is left out, use pg_dump; the configuration file is yours to keep.',
    'The copy is proved as `ledger verify` does it, as far as its rows alone can tell.',
  ],
  options: {},
  words: [1, 1],
  run: async (context) => {
    const into = context.words[0] ?? '';
    const loaded = loadedFor(context);
    const { dataFolder, storage } = loaded.settings;
    if (!existsSync(join(dataFolder, 'journal'))) throw new CommandError(`there is no journal in ${dataFolder}`);
    if (existsSync(into) && readdirSync(into).length > 0)
      throw new CommandError(`${into} is not empty; a backup wants a folder of its own`);
    mkdirSync(into, { recursive: true, mode: 0o700 });
    const storeFile = storage.kind === 'sqlite' ? storage.file : undefined;
    const names = copySecrets(dataFolder, into, storeFile);
    // The store before the journal, which it reads: the copy of the store is behind the copy of the journal, never ahead.
    if (storeFile !== undefined && existsSync(storeFile)) names.push(await copyStore(storeFile, into));
    for (const { name } of journalsOf(dataFolder)) names.push(...copyJournal(dataFolder, name, into));
    const manifest = writeManifest(into, context.io.about.version, names);
    const found = await verifyAll(into, undefined, pricingOf(loaded));
    const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
    if (context.json) context.io.out(JSON.stringify({ folder: into, at: manifest.at, bytes, ...shortly(found) }));
    else {
      context.io.out(`${manifest.files.length} files, ${bytes} bytes in ${into}: ${found.receipts} receipts.`);
      if (storeFile === undefined) context.io.out('The store is in PostgreSQL and left out: back it up with pg_dump.');
      tell(found, context.io.out);
    }
    return found.ok ? 0 : 1;
  },
};

const restoreCommand: Command = {
  name: 'restore',
  usage: 'DIR',
  summary: 'Put a backup back into an empty data folder, and prove it',
  help: [
    'Refuses a data folder that is in use, or that has a journal or a store: move it away first.',
    'What was under way when the backup was made is closed at the next start, at the amount it held.',
  ],
  options: {},
  words: [1, 1],
  run: async (context) => {
    const from = context.words[0] ?? '';
    const loaded = loadedFor(context);
    const { dataFolder, storage } = loaded.settings;
    const manifest = readManifest(from);
    const storeFile = storage.kind === 'sqlite' ? storage.file : undefined;
    const release = takeLock(dataFolder);
    if (!release) throw new CommandError(`${dataFolder} is in use by a running gateway; stop it first`);
    try {
      refuseFull(dataFolder, storeFile);
      mkdirSync(join(dataFolder, 'journal'), { recursive: true, mode: 0o700 });
      for (const { name } of manifest.files) {
        const to = name === storeName ? storeFile : join(dataFolder, name);
        if (to === undefined) continue;
        mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
        copy(join(from, name), to);
      }
    } finally {
      release();
    }
    const found = await verifyAll(dataFolder, undefined, pricingOf(loaded));
    if (context.json) context.io.out(JSON.stringify({ folder: dataFolder, at: manifest.at, ...shortly(found) }));
    else {
      context.io.out(
        `${dataFolder} is as it was at ${manifest.at}: ${found.receipts} receipts, ${found.open} under way then.`,
      );
      tell(found, context.io.out);
    }
    return found.ok ? 0 : 1;
  },
};

export const backupCommands: readonly Command[] = [backupCommand, restoreCommand];

function refuseFull(dataFolder: string, storeFile: string | undefined): void {
  const full = journalsOf(dataFolder).find(({ name }) => readdirSync(join(dataFolder, name)).length > 0);
  const has = full ? join(dataFolder, full.name) : storeFile;
  if (has !== undefined && existsSync(has)) throw new CommandError(`${has} is there already; move it away first`);
}

function shortly({ ok, receipts, open, cost, differences }: Verified) {
  return { ok, receipts, open, cost_nano_usd: cost, differences };
}

function tell({ ok, differences }: Verified, out: (line: string) => void): void {
  for (const { what } of differences) out(`  ${what}`);
  out(ok ? 'OK' : 'The books differ.');
}
