// Starts a real gateway process for a test: own data folder, free port, the configuration given; and stops it.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface GatewayProcess {
  readonly url: string;
  /** The first virtual key, and the admin token. */
  readonly key: string;
  readonly adminToken: string;
  readonly dataFolder: string;
  readonly configFile: string;
  readonly process: ChildProcess;
  /** What it wrote to standard error so far: its log. */
  log(): string;
  /** Writes the configuration anew, as an editor does. */
  configure(config: unknown): void;
  /** Ends it with the signal and resolves with its exit code (null where the signal killed it). */
  kill(signal: NodeJS.Signals): Promise<number | null>;
  /** Ends it (SIGKILL if need be) and removes its folder. */
  close(): Promise<void>;
}

export interface GatewayOptions {
  /** `tollgate.yaml` as a value; JSON is YAML. Undefined starts without a file. */
  readonly config?: unknown;
  readonly environment?: Readonly<Record<string, string>>;
  /** A data folder that outlives the process, for restarts. */
  readonly dataFolder?: string;
}

/** Resolves once it serves; rejects with its standard error where it ends before. */
export async function startGateway(options: GatewayOptions = {}): Promise<GatewayProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-test-'));
  const dataFolder = options.dataFolder ?? join(folder, 'data');
  const configFile = join(folder, 'tollgate.json');
  const configure = (config: unknown): void => writeFileSync(configFile, JSON.stringify(config, undefined, 2));
  if (options.config !== undefined) configure(options.config);
  const main = resolve(import.meta.dirname, '..', 'src', 'main.ts');
  const child = spawn(
    process.execPath,
    [main, 'start', ...(options.config === undefined ? [] : ['--config', configFile])],
    {
      cwd: folder,
      env: {
        PATH: process.env.PATH ?? '',
        PORT: '0',
        LOG_LEVEL: 'warn',
        TOLLGATE_DATA: dataFolder,
        ...options.environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let out = '';
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString('utf8');
  });
  const exited = new Promise<number | null>((settle) => child.once('exit', (code) => settle(code)));
  const url = await new Promise<string>((settle, fail) => {
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString('utf8');
      const found = /serves (http:\/\/\S+)\n/.exec(out)?.[1];
      if (found) settle(found);
    });
    void exited.then((code) => fail(new Error(`the gateway ended with ${code} before it served:\n${log}${out}`)));
  });
  const secret = (name: string): string => readFileSync(join(dataFolder, name), 'utf8').trim();
  const kill = (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    return exited;
  };
  return {
    url,
    get key() {
      return secret('first-key');
    },
    adminToken: options.environment?.TOLLGATE_ADMIN_TOKEN ?? secret('admin-token'),
    dataFolder,
    configFile,
    process: child,
    log: () => log,
    configure,
    kill,
    async close() {
      if (child.exitCode === null && child.signalCode === null) await kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
