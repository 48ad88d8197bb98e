// Runs every test file and ends with one plain line: `N passed, M failed, K skipped`.
// `npm test -- PATTERN` runs the files whose path contains PATTERN.

import { spawn } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { preparePostgres } from '../test/postgres.ts';

const wanted = process.argv[2];
const files = globSync(['src/**/*.test.ts', 'test/**/*.test.ts', 'sim/**/*.test.ts', 'fixtures/**/*.test.ts'])
  .filter((file) => !wanted || file.includes(wanted))
  .sort();

if (files.length === 0) {
  console.error(`No test file${wanted ? ` matches ${wanted}` : ''}.`);
  process.exit(1);
}

// One server for the whole run; each file that needs one makes its own database there.
const needed = !wanted || files.some((file) => readFileSync(file, 'utf8').includes('postgres'));
const postgres = needed
  ? await preparePostgres().catch((error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exit(1);
    })
  : undefined;

const child = spawn(process.execPath, ['--test', '--test-reporter=spec', '--test-timeout=300000', ...files], {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: {
    ...process.env,
    ...(postgres && { TEST_POSTGRES_URL: postgres.url }),
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? 'node_modules/.cache/tollgate',
  },
});

/** The runner's summary stands before the details of what failed: it is picked out as it passes. */
const figures = new Map<string, number>();
let line = '';
child.stdout.on('data', (chunk: Buffer) => {
  process.stdout.write(chunk);
  const lines = (line + chunk.toString('utf8')).split('\n');
  line = lines.pop() ?? '';
  for (const each of lines) {
    const [, name, count] = /^ℹ (\w+) (\d+)$/.exec(each) ?? [];
    if (name !== undefined) figures.set(name, Number(count));
  }
});
child.on('close', async (code) => {
  await postgres?.close();
  const figure = (name: string): number => figures.get(name) ?? 0;
  const failed = figure('fail') + figure('cancelled');
  console.log(`${figure('pass')} passed, ${failed} failed, ${figure('skipped') + figure('todo')} skipped`);
  process.exit(code ?? 1);
});
