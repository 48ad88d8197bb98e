// Runs the measurements and holds them against the goals: `npm run bench`, `npm run bench -- --only cpu,stream --write`.

import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureChunks } from './measure-chunks.ts';
import { measureLedger } from './measure-ledger.ts';
import { measureCpu, measureLatency } from './measure-requests.ts';
import { measureStart } from './measure-start.ts';
import { measureMoreUsers, measureUsers } from './measure-users.ts';
import { type MachineTime, machineTime, noiseBetween } from './process.ts';
import { judge, markdownTable, plainTable, type Row, slowerOf, writeFigures } from './report.ts';
import type { Session } from './rounds.ts';
import { startUpstream } from './subjects.ts';

const sections: Readonly<Record<string, (session: Session) => Promise<Row[]>>> = {
  cpu: measureCpu,
  stream: measureChunks,
  latency: measureLatency,
  users: measureUsers,
  'more-users': measureMoreUsers,
  start: measureStart,
  ledger: measureLedger,
};

const usage = `node bench/run.ts [--only ${Object.keys(sections).join(',')}] [--subject gateway|relay|nginx] [--seed N] [--quick] [--write] [--json]`;

interface Wishes {
  readonly only: readonly string[];
  readonly subject: 'gateway' | 'relay' | 'nginx';
  readonly seed: number;
  readonly quick: boolean;
  readonly write: boolean;
  readonly json: boolean;
}

function readWishes(): Wishes {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: Object.keys(sections).join(',') },
      subject: { type: 'string', default: 'gateway' },
      seed: { type: 'string', default: '1' },
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const only = values.only.split(',');
  const unknown = only.find((name) => !(name in sections));
  if (unknown !== undefined) throw new Error(`there is no measurement "${unknown}"\n${usage}`);
  const subject = values.subject;
  if (subject !== 'gateway' && subject !== 'relay' && subject !== 'nginx')
    throw new Error(`no subject "${subject}"\n${usage}`);
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error(`--seed wants a whole number\n${usage}`);
  if (values.write && values.quick) throw new Error('--quick proves the harness: its figures are not for --write');
  return { only, subject, seed, quick: values.quick, write: values.write, json: values.json };
}

function machine(): string {
  return `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}`;
}

/** What else ran meanwhile: an absolute figure from a busy machine is too high, a ratio merely wide. */
function noise(from: MachineTime, say: (line: string) => void): string {
  const { others, stolen } = noiseBetween(from, machineTime());
  const text = `others used ${(others * 100).toFixed(1)} % of the machine, its host took ${(stolen * 100).toFixed(1)} %`;
  if (others + stolen > 0.05) say(`warning: ${text}; measure again when it is quiet`);
  return text;
}

async function main(): Promise<void> {
  const wishes = readWishes();
  const say = (line: string): void => console.error(line);
  const startedAt = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const timeBefore = machineTime();
  const { bench, server: upstream } = await startUpstream(folder);
  const session: Session = { bench, judged: wishes.subject, seed: wishes.seed, shrink: wishes.quick ? 5 : 1, say };
  const rows: Row[] = [];
  for (const name of wishes.only) {
    const from = performance.now();
    rows.push(...((await sections[name]?.({ ...session, slower: slowerOf(rows) })) ?? []));
    say(`${name}: ${((performance.now() - from) / 1000).toFixed(0)} s`);
  }
  await upstream.stop();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  const command = `npm run bench${process.argv.length > 2 ? ` -- ${process.argv.slice(2).join(' ')}` : ''}`;
  const heading = `${new Date().toISOString().slice(0, 10)}, \`${command}\`, ${seconds} s, seed ${wishes.seed}, ${machine()}; ${noise(timeBefore, say)}.`;
  if (wishes.json)
    console.log(JSON.stringify({ heading, rows: rows.map((one) => ({ ...one, ...judge(one, slowerOf(rows)) })) }));
  else console.log(`\n${heading}\n\n${plainTable(rows)}`);
  if (wishes.write) writeFigures(join(import.meta.dirname, 'README.md'), `${heading}\n\n${markdownTable(rows)}`);
  if (rows.some((one) => judge(one).verdict === 'failed')) process.exitCode = 1;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
main().catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
