// Reads the tree like a test: sizes of files, words that do not belong, documents that must match their source.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const limits = { max: 400, p90: 250, median: 120 };
const bans: readonly [RegExp, string][] = [
  [/\bTODO\b|\bFIXME\b|\bXXX\b/, 'a note for later: do it or leave it out'],
  [/@ts-ignore|@ts-expect-error|biome-ignore/, 'a silenced check'],
  [/^export \* from/m, 'a barrel'],
];
/** Effects come in through world/: rooms and the ground floor never reach for them. */
const effects =
  /\bDate\.now\(|\bMath\.random\(|\bprocess\.(env|argv|exit)\b|\bnew Date\(\)|\bsetTimeout\(|\bsetInterval\(/;
const rooms =
  /^src\/(exchange|listen|identify|limit|price|budget|cache|route|translate|providers|call|stream|record)\/|^src\/(pipeline|attempts|charge|gateway)\.ts$/;
const forbiddenFolders = /(^|\/)(utils|helpers|common|types)\//;

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  .split('\n')
  .filter((file) => /\.(ts|js|cjs)$/.test(file) && !file.startsWith('test/violations/') && file !== 'scripts/tidy.ts');

const problems: string[] = [];
const sizes: number[] = [];

for (const file of files) {
  const text = read(file);
  if (text === undefined) continue;
  const lines = text.split('\n').length - 1;
  const source = file.startsWith('src/') && !file.endsWith('.test.ts');
  if (source) sizes.push(lines);
  if (source && lines > limits.max) problems.push(`${file}: ${lines} lines, at most ${limits.max}`);
  if (forbiddenFolders.test(file)) problems.push(`${file}: a folder that says nothing`);
  for (const [pattern, why] of bans) if (pattern.test(text)) problems.push(`${file}: ${why}`);
  if (source && rooms.test(file) && effects.test(text))
    problems.push(`${file}: an effect that must come through world/`);
  if (source && !/^(#!.*\n)?\/\/ \S/.test(text))
    problems.push(`${file}: does not open with a sentence on what it owns`);
}

sizes.sort((a, b) => a - b);
const at = (share: number): number => sizes[Math.min(sizes.length - 1, Math.floor(sizes.length * share))] ?? 0;
if (at(0.5) > limits.median) problems.push(`median of file sizes is ${at(0.5)}, at most ${limits.median}`);
if (at(0.9) > limits.p90) problems.push(`90th percentile of file sizes is ${at(0.9)}, at most ${limits.p90}`);

for (const [file, most] of [
  ['README.md', 120],
  ['ARCHITECTURE.md', 300],
  ['src/pipeline.ts', 150],
] as const) {
  const lines = (read(file) ?? '').split('\n').length - 1;
  if (lines === 0) problems.push(`${file}: missing`);
  if (lines > most) problems.push(`${file}: ${lines} lines, at most ${most}`);
}

if (/"resolved": "https?:/.test(read('package-lock.json') ?? '')) problems.push('package-lock.json: names a host');

for (const problem of problems) console.error(problem);
console.log(
  `tidy: ${sizes.length} source files, median ${at(0.5)} lines, p90 ${at(0.9)}, largest ${sizes.at(-1) ?? 0}`,
);
process.exit(problems.length > 0 ? 1 : 0);

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
