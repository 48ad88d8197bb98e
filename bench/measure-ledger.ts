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
    execFile(process.execPath, [script, '--json'], { timeout: 60_000 }, (error, stdout) => {
      if (error) reject(error);
      else resolve(stdout);
    });
  });
  const figures: Record<string, unknown> = JSON.parse(printed.trim().split('\n').at(-1) ?? '');
  const value = Number(figures.microsPerRequest);
  const notes = Object.entries(figures)
    .filter(([name]) => name !== 'microsPerRequest')
    .map(([name, content]) => `${name} ${typeof content === 'object' ? JSON.stringify(content) : String(content)}`)
    .join(', ');
  return [{ what: 'hold + journal + settle', unit: 'µs', value, bound: 6, notes }];
}
