import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Log, LogFields } from '../world/world.ts';
import type { Loaded } from './config.ts';
import { loadConfigFile } from './file.ts';
import { createReload, firstLoad } from './reload.ts';
import { sampleTable } from './sample-table.test.ts';

/** A clock whose timers run when the test says so: the poll is the only one that repeats. */
function handClock() {
  const due: (() => void)[] = [];
  let poll = () => {};
  return {
    after: (_: number, task: () => void) => {
      due.push(task);
      return () => void due.splice(due.indexOf(task) >>> 0, 1);
    },
    every: (_: number, task: () => void) => {
      poll = task;
      return () => {};
    },
    /** One poll and whatever it made due. */
    tick: () => {
      poll();
      for (const task of due.splice(0)) task();
    },
  };
}

/** `meanwhile` comes to pass between the first load and the beginning of the watch, as while an installation is opened. */
function start(
  context: TestContext,
  fileName: string,
  meanwhile = () => {},
  load = () => loadConfigFile(fileName, { OPENAI_API_KEY: 'k' }, sampleTable),
) {
  const logged: [string, LogFields | undefined][] = [];
  const note = (event: string, fields?: LogFields) => void logged.push([event, fields]);
  const log: Log = { debugs: true, debug: note, info: note, warn: note, error: note };
  const clock = handClock();
  const applied: Loaded[] = [];
  const first = firstLoad(fileName, load);
  meanwhile();
  const reload = createReload({ fileName, first, load, apply: (next) => applied.push(next), clock, log });
  context.after(() => reload.close());
  return { clock, applied, logged, reload };
}

function folder(context: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'tollgate-reload-'));
  context.after(() => rmSync(made, { recursive: true }));
  return made;
}

test('a changed file is applied; a bad one is refused with line and reason and the last good one stays', (context) => {
  const fileName = join(folder(context), 'tollgate.yaml');
  writeFileSync(fileName, 'budgets: [{ scope: global, limit: 1, per: day }]\n');
  const { clock, applied, logged } = start(context, fileName);
  clock.tick();
  assert.equal(applied.length, 0);

  writeFileSync(fileName, 'budgets: [{ scope: global, limit: 20, per: day }]\n');
  clock.tick();
  assert.equal(applied[0]?.snapshot.budgets[0]?.limit, 20_000_000_000);

  writeFileSync(fileName, 'listen: {}\nbudgetz: []\n');
  clock.tick();
  clock.tick();
  assert.equal(applied.length, 1);
  const refused = logged.filter(([event]) => event === 'config_refused');
  assert.equal(refused.length, 1, 'a bad file is reported once, not at each look');
  assert.equal(refused[0]?.[1]?.line, 2);
  assert.match(String(refused[0]?.[1]?.reason), /budgetz: unknown key; did you mean budgets\?/);
  assert.equal(refused[0]?.[1]?.kept, applied[0]?.snapshot.version);

  rmSync(fileName);
  clock.tick();
  assert.equal(applied.length, 1);
  writeFileSync(fileName, 'budgets: []\n');
  clock.tick();
  assert.equal(applied.length, 2);
});

test('a swapped ..data symlink is a change, even with the same size and date', (context) => {
  const root = folder(context);
  for (const [name, limit] of [
    ['v1', 1],
    ['v2', 2],
  ] as const) {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, 'tollgate.yaml'), `budgets: [{ scope: global, limit: ${limit}, per: day }]\n`);
  }
  symlinkSync('v1', join(root, '..data'));
  symlinkSync('..data/tollgate.yaml', join(root, 'tollgate.yaml'));
  const { clock, applied } = start(context, join(root, 'tollgate.yaml'));
  symlinkSync('v2', join(root, '..data_tmp'));
  renameSync(join(root, '..data_tmp'), join(root, '..data'));
  clock.tick();
  assert.equal(applied[0]?.snapshot.budgets[0]?.limit, 2_000_000_000);
});

test('a rotated secret file is a change of the configuration', (context) => {
  const root = folder(context);
  writeFileSync(join(root, 'key'), 'sk-old');
  writeFileSync(join(root, 'tollgate.yaml'), 'providers: { openai: { api_key: file:key } }\n');
  const { clock, applied } = start(context, join(root, 'tollgate.yaml'));
  writeFileSync(join(root, 'key'), 'sk-newer');
  clock.tick();
  assert.equal(applied[0]?.snapshot.providers.get('openai')?.keys[0]?.reveal(), 'sk-newer');
});

for (const [what, name, later, expected] of [
  ['the file', 'tollgate.yaml', 'providers: { openai: { api_key: [file:key, file:key] } }\n', ['sk-1', 'sk-1']],
  ['its secret', 'key', 'sk-newer', ['sk-newer']],
] as const)
  test(`a change of ${what} while the gateway starts is applied once it runs`, (context) => {
    const root = folder(context);
    writeFileSync(join(root, 'key'), 'sk-1');
    writeFileSync(join(root, 'tollgate.yaml'), 'providers: { openai: { api_key: file:key } }\n');
    const { clock, applied } = start(context, join(root, 'tollgate.yaml'), () =>
      writeFileSync(join(root, name), later),
    );
    clock.tick();
    clock.tick();
    assert.equal(applied.length, 1);
    const keys = applied[0]?.snapshot.providers.get('openai')?.keys.map((key) => key.reveal());
    assert.deepEqual(keys, expected);
  });

test('a file that is written while the gateway starts without one is applied', (context) => {
  const fileName = join(folder(context), 'tollgate.yaml');
  const load = () => loadConfigFile(existsSync(fileName) ? fileName : undefined, {}, sampleTable);
  const { clock, applied } = start(context, fileName, () => writeFileSync(fileName, 'budgets: []\n'), load);
  clock.tick();
  assert.deepEqual(applied[0]?.snapshot.budgets, []);
});

test('a secret that arrives after the file that names it mends the reload', (context) => {
  const root = folder(context);
  const fileName = join(root, 'tollgate.yaml');
  writeFileSync(fileName, 'providers: { openai: {} }\n');
  const { clock, applied, logged } = start(context, fileName);
  writeFileSync(fileName, 'providers: { openai: { api_key: [file:one, file:two] } }\n');
  clock.tick();
  clock.tick();
  const refused = () => logged.filter(([event]) => event === 'config_refused').length;
  assert.deepEqual([applied.length, refused()], [0, 2], 'each of the two missing, once');
  for (const name of ['one', 'two']) {
    writeFileSync(join(root, name), `sk-${name}`);
    clock.tick();
  }
  assert.deepEqual([applied.length, refused()], [1, 3]);
  assert.deepEqual(
    applied[0]?.snapshot.providers.get('openai')?.keys.map((key) => key.reveal()),
    ['sk-one', 'sk-two'],
  );
});

test('SIGHUP loads anew without a change, and says which settings want a restart', (context) => {
  const fileName = join(folder(context), 'tollgate.yaml');
  writeFileSync(fileName, 'listen: { port: 1 }\n');
  const { applied, logged, reload } = start(context, fileName);
  assert.equal(reload.reload('SIGHUP'), true);
  assert.equal(applied.length, 1);
  writeFileSync(fileName, 'listen: { port: 2 }\n');
  assert.equal(reload.reload('SIGHUP'), true);
  assert.deepEqual(logged.find(([event]) => event === 'config_needs_restart')?.[1], { settings: 'listen' });
});
