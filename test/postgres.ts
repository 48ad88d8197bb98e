// A private PostgreSQL for tests: a server of one's own in a temporary folder, or a fresh database on the run's server.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Client } from 'pg';

export interface TestDatabase {
  /** `postgres://…/tollgate_…`, empty at first. */
  readonly url: string;
  /** Removes it, whoever is connected. */
  close(): Promise<void>;
}

export interface PostgresServer {
  /** Of its `postgres` database; the address stays over `crash` and `start`. */
  readonly url: string;
  /** Ends all of it at once, as a power cut of the process does: nothing is flushed, connections break. */
  crash(): Promise<void>;
  /** Starts it again after a crash. Resolves once it takes connections. */
  start(): Promise<void>;
  /** Ends it and removes its folder. */
  close(): Promise<void>;
}

export interface PostgresOptions {
  /** For measurements: writes reach the disk before a commit is answered. Tests do without; no test pulls the plug. */
  readonly durable?: boolean;
  /** Lines of `postgresql.conf` as `name=value`. */
  readonly settings?: readonly string[];
}

const absent =
  'These tests need PostgreSQL: install it (Debian: apt-get install -y postgresql), ' +
  'or name a server on which databases can be made in TEST_POSTGRES_URL (postgres://user@host:5432/postgres).';

/**
 * A database of one's own, on the server of TEST_POSTGRES_URL or, where that is not set, on a private one that lives as
 * long as the database. Rejects with one plain sentence where there is no PostgreSQL.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const given = process.env.TEST_POSTGRES_URL;
  const server = given ? undefined : await startPostgres();
  const admin = given ?? server?.url ?? '';
  const name = `tollgate_${randomBytes(8).toString('hex')}`;
  await run(admin, `CREATE DATABASE ${name}`);
  const url = new URL(admin);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async close() {
      if (server) await server.close();
      else await run(admin, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

/** For one statement, or several in one string. */
async function run(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  try {
    await client.connect();
    await client.query(statement);
  } catch (error) {
    throw new Error(`PostgreSQL at ${new URL(url).host}: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * What a whole run does once: an address for TEST_POSTGRES_URL, and how to end it. Installs Debian's package where this
 * is a bare machine and we may. Rejects with one plain sentence where there is no PostgreSQL to be had.
 */
export async function preparePostgres(): Promise<{ url: string; close(): Promise<void> }> {
  const given = process.env.TEST_POSTGRES_URL;
  if (given) return { url: given, close: () => Promise.resolve() };
  if (!binaries() && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    console.error('PostgreSQL is not installed: trying apt-get install -y postgresql');
    const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    for (const words of [
      ['update', '-q'],
      ['install', '-q', '-y', '--no-install-recommends', 'postgresql'],
    ]) {
      spawnSync('/usr/bin/apt-get', words, { stdio: ['ignore', 'ignore', 'inherit'], env: environment });
    }
  }
  const server = await startPostgres({ settings: ['max_connections=300'] });
  return { url: server.url, close: server.close };
}

/** Where `initdb` and `postgres` are: the newest of Debian's versions, or the search path. */
function binaries(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ];
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}

/** PostgreSQL refuses to run as root: its own user where there is one, otherwise nobody. */
function owner(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  if (!user) throw new Error('PostgreSQL does not run as root, and there is neither a user postgres nor nobody');
  return { uid: Number(user[2]), gid: Number(user[3]) };
}

/** A new server that ends with this process, however that ends. It takes about a second. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const folder = binaries();
  if (!folder) throw new Error(absent);
  const user = owner();
  const home = mkdtempSync(join(tmpdir(), 'tollgate-postgres-'));
  if (user) chownSync(home, user.uid, user.gid);
  const data = join(home, 'data');
  const words = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  const made = spawnSync(join(folder, 'initdb'), words, { ...user, cwd: home, encoding: 'utf8' });
  if (made.status !== 0) {
    rmSync(home, { recursive: true, force: true });
    throw new Error(`initdb failed: ${made.stderr || made.error?.message}`);
  }
  const port = await freePort();
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${home}`,
    'lc_messages=C',
    ...(options.durable ? [] : ['fsync=off', 'full_page_writes=off']),
    ...(options.settings ?? []),
  ].flatMap((setting) => ['-c', setting]);
  const command = [join(folder, 'postgres'), '-D', data, ...settings];

  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    child = await launch(command, home, user);
  };
  const end = async (word: string): Promise<void> => {
    const ending = child;
    child = undefined;
    if (!ending || ending.exitCode !== null) return;
    ending.ref();
    const ended = new Promise((resolve) => ending.once('exit', resolve));
    ending.stdin?.end(`${word}\n`);
    await ended;
  };
  const close = async (): Promise<void> => {
    await end('INT');
    rmSync(home, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await close();
    throw error;
  }
  return { url: `postgres://postgres@127.0.0.1:${port}/postgres`, start, close, crash: () => end('QUIT') };
}

/**
 * Under a shell that reads a line from us: the signal to end it with. The line does not come where this process was
 * killed; then the server is ended and its folder removed all the same.
 */
const keeper = `
"$@" &
server=$!
if read -r signal; then kill -s "$signal" $server; else kill -s QUIT $server; gone=1; fi
wait $server
if [ "$gone" ]; then rm -rf "$PWD"; fi
`;

async function launch(
  command: readonly string[],
  home: string,
  user: { uid: number; gid: number } | undefined,
): Promise<ChildProcess> {
  // A group of its own: a Ctrl-C in the terminal must not end it before the tests have closed what they use.
  const child = spawn('/bin/sh', ['-c', keeper, 'sh', ...command], {
    ...user,
    cwd: home,
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true,
    env: { PATH: process.env.PATH ?? '' },
  });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    let ready = false;
    child.stderr.on('data', (bytes: Buffer) => {
      if (ready) return;
      said += bytes.toString('utf8');
      ready = said.includes('ready to accept connections');
      if (ready) resolve();
      // The shell waits for its line even where the server is gone already. Who connects too early is told FATAL as well.
      else if (/FATAL: +(?! |the database system is)/.test(said)) child.stdin.end('INT\n');
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`PostgreSQL did not start: ${said}`)));
  });
  // It must not keep this process alive where a test forgets to close it.
  child.unref();
  for (const stream of [child.stdin, child.stderr])
    if ('unref' in stream && typeof stream.unref === 'function') stream.unref();
  return child;
}

/** A port that nobody has now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
