// The money's own cost, in process: runs bench/ledger.ts and takes over its figure.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { Row } from './report.ts';
import type { Session } from './rounds.ts';

const script = join(import.meta.dirname, 'ledger.ts');

export async function measureLedger(session: Session): Promise<Row[]> {
  const figures: { readonly value: number; readonly notes: string }[] = [];
  for (let round = 0; round < (session.shrink > 1 ? 1 : 5); round++) figures.push(await once());
  figures.sort((one, other) => one.value - other.value);
  const [least, middle, most] = [figures[0], figures[figures.length >> 1], figures.at(-1)];
  return [
    {
      what: 'hold + journal + settle',
      unit: 'µs',
      value: middle?.value ?? Number.NaN,
      bound: 6,
      absolute: true,
      notes: `${least?.value.toFixed(1)} to ${most?.value.toFixed(1)}; ${middle?.notes}`,
    },
  ];
}

async function once(): Promise<{ readonly value: number; readonly notes: string }> {
  const printed = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, [script], { timeout: 60_000 }, (error, stdout) => {
      if (error) reject(error);
      else resolve(stdout.trim());
    });
  });
  const found = /^([\d.]+) µs of CPU a request,? ?(.*)$/m.exec(printed);
  if (!found) throw new Error(`bench/ledger.ts names no figure: ${printed}`);
  return { value: Number(found[1]), notes: found[2] ?? '' };
}
