import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';

const bin = resolve(import.meta.dirname, '..', 'bin', 'tollgate.js');

/** A package with only the starter and a main that does what the test wants. */
function place(context: TestContext, main: string): string {
  const root = mkdtempSync(join(tmpdir(), 'tollgate-start-'));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  for (const folder of ['bin', 'src', 'node_modules/node/bin']) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(root, 'src', 'main.ts'), main);
  copyFileSync(bin, join(root, 'bin', 'tollgate.js'));
  return root;
}

/** The starter as an old Node sees itself: the version is patched before it loads. */
function startAsOld(root: string, args: readonly string[] = []): ChildProcess {
  const patch = join(root, 'old.mjs');
  writeFileSync(
    patch,
    `if (!process.argv[1].endsWith('main.ts')) {
  Object.defineProperty(process.versions, 'node', { value: '20.1.0' });
  Object.defineProperty(process, 'version', { value: 'v20.1.0' });
}`,
  );
  return spawn(process.execPath, ['--import', patch, join(root, 'bin', 'tollgate.js'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function ending(
  child: ChildProcess,
): Promise<{ code: number | null; signal: string | null; out: string; err: string }> {
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    out += chunk;
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk;
  });
  return new Promise((done) => child.on('close', (code, signal) => done({ code, signal, out, err })));
}

function runtimeOf(root: string, script: string): void {
  const file = join(root, 'node_modules', 'node', 'bin', 'node');
  writeFileSync(file, script);
  chmodSync(file, 0o755);
}

test('on a runtime that is new enough the program runs in the same process', (context) => {
  const root = place(
    context,
    'const said: string = process.argv.slice(2).join(); console.log(said); process.exitCode = 3;',
  );
  const run = spawnSync(process.execPath, [join(root, 'bin', 'tollgate.js'), 'check', 'a b'], { encoding: 'utf8' });
  assert.equal(run.stdout, 'check,a b\n');
  assert.equal(run.status, 3);
});

test('an old runtime hands over to the one beside it, with arguments, exit code and signals', async (context) => {
  const root = place(
    context,
    `if (process.argv[2] === 'wait') {
  process.on('SIGTERM', () => process.exit(7));
  setInterval(() => {}, 1000);
  console.log('waiting');
} else { console.log(process.argv.slice(2).join()); process.exit(5); }`,
  );
  symlinkSync(process.execPath, join(root, 'node_modules', 'node', 'bin', 'node'));
  const done = await ending(startAsOld(root, ['x', '--y']));
  assert.deepEqual([done.code, done.out], [5, 'x,--y\n']);

  const waiting = startAsOld(root, ['wait']);
  const end = ending(waiting);
  waiting.stdout?.once('data', () => waiting.kill('SIGTERM'));
  assert.equal((await end).code, 7);
});

test('where no runtime is, or only an old one, one line says what to install', async (context) => {
  const root = place(context, 'console.log("never");');
  for (const script of ['', '#!/bin/sh\necho v20.0.0\n', '#!/bin/sh\nexit 1\n']) {
    if (script) runtimeOf(root, script);
    const done = await ending(startAsOld(root));
    assert.equal(done.code, 1);
    assert.equal(done.out, '');
    assert.match(done.err, /^tollgate: needs Node 24 or newer and this is v20\.1\.0; .*npm ci.*\n$/);
  }
});

test('the starter holds nothing that an old parser stumbles over', () => {
  const text = readFileSync(bin, 'utf8').replace(/\/\/.*|\/\*[\s\S]*?\*\//g, '');
  for (const newer of ['?.', '??', '||=', '&&=', 'await ']) assert.ok(!text.includes(newer), newer);
});

test('an old Node of this machine, where there is one, is handed over as well', (context) => {
  const found = ['/usr/bin/node', '/usr/local/bin/node'].find((file) => existsSync(file));
  const version = found ? Number(execFileSync(found, ['--version'], { encoding: 'utf8' }).slice(1).split('.')[0]) : 99;
  if (!found || version >= 24) return;
  const root = place(context, 'const major: string = process.versions.node; console.log(major);');
  symlinkSync(process.execPath, join(root, 'node_modules', 'node', 'bin', 'node'));
  const run = spawnSync(found, [join(root, 'bin', 'tollgate.js')], { encoding: 'utf8', env: { PATH: dirname(found) } });
  assert.equal(run.stdout.trim(), process.versions.node);
});
