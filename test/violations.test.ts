// Each rule of the house against one deliberate violation: a rule that nothing trips is no rule.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { test } from 'node:test';
import { inspect, inspectSizes, limits } from '../scripts/tidy-rules.ts';

const root = resolve(import.meta.dirname, '..');
const run = (command: string, argv: string[]) =>
  spawnSync(resolve(root, 'node_modules/.bin', command), argv, { cwd: root, encoding: 'utf8' });

const walls = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as { forbidden: { name: string }[] };

test('every wall has a violation that trips it', () => {
  const folders = readdirSync(resolve(root, 'test/violations'));
  assert.deepEqual(folders.sort(), walls.forbidden.map(({ name }) => name).sort());
  for (const folder of folders) {
    const { stdout } = run('depcruise', [
      '--config',
      '.dependency-cruiser.cjs',
      '--output-type',
      'json',
      `test/violations/${folder}`,
    ]);
    const { summary } = JSON.parse(stdout) as { summary: { violations: { from: string; rule: { name: string } }[] } };
    assert.ok(
      summary.violations.some(({ rule }) => rule.name === folder),
      `${folder} was not tripped`,
    );
    if (folder === 'rooms-see-ports-not-the-real-world')
      assert.ok(summary.violations.some(({ from }) => from.endsWith('/metering.ts')));
  }
});

const lint: readonly [rule: string, code: string][] = [
  ['noFloatingPromises', 'async function settle(): Promise<void> {}\nsettle();\n'],
  ['noMisusedPromises', 'async function held(): Promise<boolean> {\n  return true;\n}\nif (held()) console.log(1);\n'],
  ['noExplicitAny', 'export const usage: any = 1;\n'],
  ['noNonNullAssertion', 'export const first = (list: number[]): number => list[0]!;\n'],
  ['useImportType', "import { Buffer } from 'node:buffer';\nexport type Bytes = Buffer;\n"],
];

for (const [rule, code] of lint)
  test(`lint: ${rule} bites`, () => {
    // A folder of its own with the project's rules: the checks of the product leave violations out.
    const folder = mkdtempSync(join(tmpdir(), 'tollgate-lint-'));
    const config = JSON.parse(readFileSync(resolve(root, 'biome.json'), 'utf8')) as Record<string, unknown>;
    writeFileSync(
      join(folder, 'biome.json'),
      JSON.stringify({ ...config, $schema: undefined, vcs: undefined, files: undefined }),
    );
    writeFileSync(join(folder, 'violation.ts'), code);
    const { stdout, stderr } = run('biome', ['lint', `--config-path=${folder}`, folder]);
    rmSync(folder, { recursive: true });
    assert.ok((stdout + stderr).includes(rule), stdout + stderr);
  });

const good = '// Owns nothing.\nexport {};\n';
const untidy: readonly [why: string, file: string, text: string][] = [
  ['a note for later', 'src/price/price.ts', `${good}// ${'TO'}DO: the rest\n`],
  ['a silenced check', 'src/price/price.ts', `${good}// @ts-${'ignore'}\n`],
  ['a barrel', 'src/price/index.ts', `${good}export * from './price.ts';\n`],
  ['a folder whose name says nothing', 'src/utils/strings.ts', good],
  ['an effect', 'src/budget/window.ts', `${good}export const now = Date.now();\n`],
  ['an effect', 'src/metering.ts', `${good}export const now = Date.now();\n`],
  ['an effect', 'src/pipeline.ts', `${good}export const key = process.env.KEY;\n`],
  ['does not open with a sentence', 'src/budget/window.ts', 'export {};\n'],
  ['lines, at most', 'src/budget/window.ts', good + '\n'.repeat(limits.max)],
];

for (const [why, file, text] of untidy)
  test(`tidy: ${why} in ${basename(file)} is seen`, () => {
    assert.deepEqual(inspect('src/price/price.ts', good), []);
    assert.ok(
      inspect(file, text).some((problem) => problem.startsWith(why) || problem.includes(why)),
      file,
    );
  });

test('tidy: sizes of all files together are held', () => {
  assert.deepEqual(inspectSizes([1, 2, 3]), []);
  assert.equal(inspectSizes([limits.median + 1, limits.median + 1, 1]).length, 1);
  assert.equal(inspectSizes([1, 1, limits.p90 + 1]).length, 1);
});

test('no violation is read by the checks of the product', () => {
  assert.ok(globSync('test/violations/**/*.ts', { cwd: root }).length > 0);
  const { status, stdout } = run('depcruise', ['--config', '.dependency-cruiser.cjs', 'src', 'sim', 'bench']);
  assert.equal(status, 0, stdout);
});
