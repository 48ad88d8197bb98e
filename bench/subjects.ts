// What is measured and what it is measured against: the gateway, the bare relay, nginx, and the upstream itself.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { freePort, listening, type Server, startServer } from './process.ts';

export type SubjectName = 'gateway' | 'relay' | 'nginx' | 'direct';
export type WireFormat = 'openai-chat' | 'anthropic-messages';

export interface Subject {
  readonly name: SubjectName;
  readonly port: number;
  readonly pid: number;
  /** The virtual key; absent where none is needed. */
  readonly key?: string;
  stop(): Promise<void>;
}

export interface Bench {
  /** Everything that a run writes is under here. */
  readonly folder: string;
  readonly upstreamPort: number;
  readonly upstreamPid: number;
}

const project = resolve(import.meta.dirname, '..');

export async function startUpstream(folder: string): Promise<{ bench: Bench; server: Server }> {
  const port = await freePort();
  const server = startScript('upstream', folder, [String(port)]);
  await listening(server, port);
  return { bench: { folder, upstreamPort: port, upstreamPid: server.pid }, server };
}

/** One of this folder's own scripts, which end with their channel. */
export function startScript(name: string, folder: string, rest: readonly string[] = []): Server {
  const script = join(import.meta.dirname, `${name}.ts`);
  return startServer({ name, folder, command: process.execPath, arguments: [script, ...rest], channel: true });
}

export function startSubject(name: SubjectName, bench: Bench): Promise<Subject> {
  if (name === 'gateway') return startGateway(bench);
  if (name === 'relay') return startRelay(bench);
  if (name === 'nginx') return startNginx(bench);
  return Promise.resolve({ name, port: bench.upstreamPort, pid: bench.upstreamPid, stop: () => Promise.resolve() });
}

async function startRelay(bench: Bench): Promise<Subject> {
  const port = await freePort();
  const server = startScript('relay', bench.folder, [String(port), String(bench.upstreamPort)]);
  await listening(server, port);
  return { name: 'relay', port, pid: server.pid, stop: server.stop };
}

const gatewayLauncher = resolve(project, 'bin', 'tollgate.js');

function gatewayExists(): boolean {
  return existsSync(gatewayLauncher);
}

async function startGateway(bench: Bench): Promise<Subject> {
  const { server, port, keyFile } = await launchGateway(bench);
  await listening(server, port);
  const key = readFileSync(keyFile, 'utf8').trim();
  return { name: 'gateway', port, pid: server.pid, key, stop: server.stop };
}

/** Spawned with an empty data folder and not waited for, so that its start can be timed. */
export async function launchGateway(bench: Bench): Promise<{ server: Server; port: number; keyFile: string }> {
  if (!gatewayExists())
    throw new Error(`no gateway at ${gatewayLauncher}: measure the relay instead with --subject relay`);
  const home = mkdtempSync(join(bench.folder, 'gateway-'));
  const data = join(home, 'data');
  mkdirSync(data);
  const port = await freePort();
  const file = join(home, 'tollgate.yaml');
  writeFileSync(file, JSON.stringify(gatewayConfig(port, bench.upstreamPort), null, 2));
  const server = startServer({
    name: 'gateway',
    folder: bench.folder,
    command: process.execPath,
    arguments: [gatewayLauncher, 'start', '--config', file],
    environment: { TOLLGATE_DATA: data, PORT: String(port), HOST: '127.0.0.1' },
  });
  return { server, port, keyFile: join(data, 'first-key') };
}

/** Keys, budgets, ledger and metrics on; the limits too high to bite. Written as JSON, which is YAML. */
function gatewayConfig(port: number, upstreamPort: number): object {
  const upstream = `http://127.0.0.1:${upstreamPort}`;
  return {
    listen: { host: '127.0.0.1', port },
    providers: {
      bench: { format: 'openai-chat', base_url: `${upstream}/v1`, api_key: 'x' },
      bencha: { format: 'anthropic-messages', base_url: upstream, api_key: 'x' },
    },
    budgets: [
      { scope: 'global', limit: '1000000 USD', per: 'month' },
      { scope: 'key:*', limit: '1000000 USD', per: 'day' },
    ],
    prices: { 'bench/*': { input: 1, output: 2 }, 'bencha/*': { input: 1, output: 2 } },
  };
}

function findNginx(): string {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  const found = folders.map((folder) => join(folder, 'nginx')).find((file) => existsSync(file));
  if (found === undefined) throw new Error('nginx is not installed: apt-get install nginx-light');
  return found;
}

/** One process (no master), connections to the upstream kept; a stream is unbuffered because the upstream's head says so. */
async function startNginx(bench: Bench): Promise<Subject> {
  const command = findNginx();
  const port = await freePort();
  const home = mkdtempSync(join(bench.folder, 'nginx-'));
  const file = join(home, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${home}/${kind};`,
  );
  writeFileSync(
    file,
    `daemon off;
master_process off;
pid ${home}/nginx.pid;
error_log stderr error;
events { worker_connections 16000; }
http {
  access_log off;
  ${temporary.join('\n  ')}
  keepalive_timeout 600s;
  keepalive_requests 100000000;
  upstream provider {
    server 127.0.0.1:${bench.upstreamPort};
    keepalive 4096;
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_read_timeout 600s;
    }
  }
}
`,
  );
  const server = startServer({
    name: 'nginx',
    folder: home,
    command,
    arguments: ['-p', home, '-c', file, '-e', 'stderr'],
  });
  await listening(server, port);
  return { name: 'nginx', port, pid: server.pid, stop: server.stop };
}
