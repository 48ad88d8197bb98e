// The money's own cost, in process: runs bench/ledger.ts and takes over its figure.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from './report.ts';
import type { Session } from './rounds.ts';

const script = join(import.meta.dirname, 'ledger.ts');

export async function measureLedger(session: Session): Promise<Row[]> {
  if (!existsSync(script)) {
    session.say('ledger: left out, there is no bench/ledger.ts');
    return [];
  }
  const printed = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, [script], { timeout: 60_000 }, (error, stdout) => {
      if (error) reject(error);
      else resolve(stdout.trim());
    });
  });
  const found = /^([\d.]+) µs of CPU a request,? ?(.*)$/m.exec(printed);
  if (!found) throw new Error(`bench/ledger.ts names no figure: ${printed}`);
  return [
    {
      what: 'hold + journal + settle',
      unit: 'µs',
      value: Number(found[1]),
      bound: 6,
      absolute: true,
      notes: found[2] ?? '',
    },
  ];
}
