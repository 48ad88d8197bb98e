#!/usr/bin/env node
// Starts Tollgate on a runtime that can run it: this one, or the one that npm ci put beside it. Written in old
// JavaScript, so that an old Node says what is missing and not where its parser gave up.
import childProcess from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import url from 'node:url';

const needed = 24;
const root = path.resolve(path.dirname(url.fileURLToPath(import.meta.url)), '..');
const entry = path.join(root, 'src', 'main.ts');

function major(version) {
  return Number(String(version).replace(/^v/, '').split('.')[0]);
}

/** Folders from the package upwards: installed as a dependency, the runtime lies beside it and not below. */
function moduleFolders() {
  const found = [];
  let folder = root;
  for (;;) {
    if (path.basename(folder) !== 'node_modules') found.push(path.join(folder, 'node_modules'));
    const parent = path.dirname(folder);
    if (parent === folder) return found;
    folder = parent;
  }
}

function candidates() {
  const program = process.platform === 'win32' ? 'node.exe' : 'node';
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const own = `node-${platform}-${process.arch}`;
  const found = [];
  moduleFolders().forEach((folder) => {
    found.push(path.join(folder, 'node', 'bin', program));
    found.push(path.join(folder, own, 'bin', program));
    found.push(path.join(folder, 'node', 'node_modules', own, 'bin', program));
    found.push(path.join(folder, '.bin', program));
  });
  return found;
}

/** The version it says itself: a folder's name or a package's version may lie about the binary. */
function works(file) {
  if (!fs.existsSync(file)) return false;
  const asked = childProcess.spawnSync(file, ['--version'], { encoding: 'utf8', timeout: 10000 });
  return asked.status === 0 && major(asked.stdout.trim()) >= needed;
}

/** Stripping the types of all files costs 0.3 s at each start without a cache, 0.07 s with one. */
function cacheFolder() {
  const beside = path.join(root, 'node_modules');
  try {
    fs.accessSync(beside, fs.constants.W_OK);
    return path.join(beside, '.cache', 'tollgate');
  } catch (_) {
    const user = typeof process.getuid === 'function' ? process.getuid() : 'user';
    return path.join(os.tmpdir(), `tollgate-cache-${user}`);
  }
}

function startHere() {
  return import('node:module')
    .then((module) => {
      if (!process.env.NODE_COMPILE_CACHE) module.default.enableCompileCache(cacheFolder());
      process.argv[1] = entry;
      return import(url.pathToFileURL(entry).href);
    })
    .catch((error) => {
      console.error(error);
      process.exit(1);
    });
}

function startWith(file) {
  const environment = Object.assign({}, process.env);
  if (!environment.NODE_COMPILE_CACHE) environment.NODE_COMPILE_CACHE = cacheFolder();
  const child = childProcess.spawn(file, [entry].concat(process.argv.slice(2)), { stdio: 'inherit', env: environment });
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'];
  const forward = signals.map((signal) => () => {
    // A terminal sends Ctrl-C to the whole group: the child has it already, a second one would force the end.
    if (signal === 'SIGINT' && process.stdin.isTTY) return;
    child.kill(signal);
  });
  signals.forEach((signal, index) => {
    process.on(signal, forward[index]);
  });
  child.on('error', (error) => {
    console.error(`tollgate: cannot start ${file}: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (!signal) {
      process.exit(code);
      return;
    }
    // Ends the way the child ended, so that a supervisor sees the truth.
    signals.forEach((name, index) => {
      process.removeListener(name, forward[index]);
    });
    process.kill(process.pid, signal);
  });
}

if (major(process.versions.node) >= needed) {
  void startHere();
} else {
  const runtime = candidates().filter(works)[0];
  if (runtime) startWith(runtime);
  else {
    console.error(
      'tollgate: needs Node ' +
        needed +
        ' or newer and this is ' +
        process.version +
        '; install it, or run `npm ci` in ' +
        root +
        ' (without --omit=dev and --ignore-scripts) to get the one that comes along.',
    );
    process.exit(1);
  }
}
