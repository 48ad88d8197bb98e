// Reads the tree like a test: `npm run tidy`. The rules are in tidy-rules.ts.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { inspect, inspectSizes, isSource } from './tidy-rules.ts';

const documents: readonly (readonly [string, number])[] = [
  ['README.md', 120],
  ['ARCHITECTURE.md', 300],
  ['CONTRIBUTING.md', 120],
  ['src/pipeline.ts', 150],
];

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  .split('\n')
  .filter((file) => /\.(ts|js|cjs)$/.test(file) && existsSync(file))
  .filter((file) => !file.startsWith('test/violations') && !file.startsWith('scripts/tidy'));

const problems: string[] = [];
const sizes: number[] = [];
for (const file of files) {
  const text = readFileSync(file, 'utf8');
  if (isSource(file)) sizes.push(text.split('\n').length - 1);
  problems.push(...inspect(file, text).map((problem) => `${file}: ${problem}`));
}
problems.push(...inspectSizes(sizes));

for (const [file, most] of documents) {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
  if (lines === 0) problems.push(`${file}: missing`);
  if (lines > most) problems.push(`${file}: ${lines} lines, at most ${most}`);
}
if (/"resolved": "https?:/.test(readFileSync('package-lock.json', 'utf8')))
  problems.push('package-lock.json: names a host');

for (const problem of problems) console.error(problem);
console.log(`tidy: ${files.length} files read, ${sizes.length} of them source, largest ${Math.max(...sizes)} lines`);
process.exit(problems.length > 0 ? 1 : 0);
