// The rules of tidiness, one file at a time: sizes, words that do not belong, effects where they must not be.

export const limits = { max: 400, p90: 250, median: 120 };

const bans: readonly [RegExp, string][] = [
  [/\bTODO\b|\bFIXME\b|\bXXX\b/, 'a note for later: do it or leave it out'],
  [/@ts-ignore|@ts-expect-error|biome-ignore/, 'a silenced check'],
  [/^export \* from/m, 'a barrel'],
];

/** Effects come in through world/: rooms and the ground floor never reach for them. A port may have a method of that name. */
const effects =
  /\bDate\.now\(|\bMath\.random\(|\bprocess\.(env|argv|exit)\b|\bnew Date\(\)|(?<!\.)\bsetTimeout\(|\bsetInterval\(|\bsetImmediate\(/;

const rooms =
  /^src\/(exchange|listen|identify|limit|price|budget|cache|route|translate|providers|call|stream|meter|record)\/|^src\/(pipeline|attempts?|charge|exact-count|funds|hold-amount|inflight|metering|pricing|questions|refuse|rooms|thinking|gateway)\.ts$/;

const emptyNames = /(^|\/)(utils|helpers|common|types)\//;

/** Whether the file is a part of the product, whose size counts. */
export function isSource(file: string): boolean {
  return file.startsWith('src/') && !file.endsWith('.test.ts');
}

/** What is wrong with one file; `file` is its path from the root. */
export function inspect(file: string, text: string): string[] {
  const problems: string[] = [];
  const lines = text.split('\n').length - 1;
  if (emptyNames.test(file)) problems.push('a folder whose name says nothing');
  for (const [pattern, why] of bans) if (pattern.test(text)) problems.push(why);
  if (!isSource(file)) return problems;
  if (lines > limits.max) problems.push(`${lines} lines, at most ${limits.max}`);
  if (rooms.test(file) && effects.test(text)) problems.push('an effect that must come in through world/');
  if (!/^\/\/ \S/.test(text)) problems.push('does not open with a sentence on what it owns');
  return problems;
}

/** What is wrong with the sizes of all source files together. */
export function inspectSizes(sizes: readonly number[]): string[] {
  const sorted = sizes.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return [
    ...(at(0.5) > limits.median ? [`the median of file sizes is ${at(0.5)} lines, at most ${limits.median}`] : []),
    ...(at(0.9) > limits.p90 ? [`the 90th percentile of file sizes is ${at(0.9)} lines, at most ${limits.p90}`] : []),
  ];
}
