// Processes of a run: started, watched through /proc, stopped. CPU and memory are of the whole process, threads and children included.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Server {
  readonly name: string;
  readonly pid: number;
  readonly process: ChildProcess;
  /** The last lines it printed. */
  output(): string;
  stop(): Promise<void>;
}

export interface ServerStart {
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Keeps a channel to the child, so that it ends when this process does. */
  readonly channel?: boolean;
}

const running = new Set<ChildProcess>();
let serial = 0;
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Output goes to a file, so that no reader of it takes CPU from the measurement. */
export function startServer(start: ServerStart): Server {
  const file = join(start.folder, `${start.name}-${++serial}.log`);
  const log = openSync(file, 'a');
  const child = spawn(start.command, start.arguments, {
    stdio: start.channel === true ? ['ignore', log, log, 'ipc'] : ['ignore', log, log],
    env: { ...process.env, ...start.environment },
  });
  closeSync(log);
  running.add(child);
  const exited = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  }).then(() => {
    running.delete(child);
  });
  if (child.pid === undefined) throw new Error(`${start.name}: ${start.command} could not be started`);
  return {
    name: start.name,
    pid: child.pid,
    process: child,
    output: () => readFileSync(file, 'utf8').slice(-1500),
    async stop() {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 5000);
      await exited;
      clearTimeout(late);
    },
  };
}

/** Resolves once the port accepts; rejects with the server's own words when it ends or stays silent. */
export async function listening(server: Server, port: number, timeoutMs = 15_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (await accepts(port)) return;
    if (server.process.exitCode !== null || server.process.signalCode !== null)
      throw new Error(`${server.name} ended before it listened on ${port}:\n${server.output()}`);
    await sleep(2);
  }
  throw new Error(`${server.name} did not listen on ${port} within ${timeoutMs} ms:\n${server.output()}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new Error('no free port on 127.0.0.1'));
      });
    });
  });
}

/** A process and its descendants: a launcher's child serves in its name. */
function family(pid: number): number[] {
  const found = [pid];
  for (const task of threads(pid)) {
    const children = readProc(`/proc/${pid}/task/${task}/children`);
    for (const child of children.split(' ')) if (child.trim() !== '') found.push(...family(Number(child)));
  }
  return found;
}

function threads(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** A thread may end between the listing and the reading: it counts nothing. */
function readProc(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** CPU spent so far, µs: the scheduler's nanoseconds summed over all threads (the tick count of `stat` is 10 ms coarse). */
export function cpuMicros(pid: number): number {
  let nanos = 0;
  for (const member of family(pid))
    for (const task of threads(member))
      nanos += Number.parseInt(readProc(`/proc/${member}/task/${task}/schedstat`), 10) || 0;
  if (nanos === 0) throw new Error(`no CPU time for process ${pid} in /proc/${pid}/task/*/schedstat`);
  return nanos / 1000;
}

/** The highest resident memory so far (VmHWM), in MB of 10^6 bytes. */
export function peakMegabytes(pid: number): number {
  let kibibytes = 0;
  for (const member of family(pid))
    kibibytes += Number(/VmHWM:\s+(\d+)/.exec(readProc(`/proc/${member}/status`))?.[1] ?? 0);
  return (kibibytes * 1024) / 1e6;
}

/** Machine time since boot, in clock ticks over all processors. */
export interface MachineTime {
  readonly total: number;
  readonly busy: number;
  readonly stolen: number;
  /** This process and the children it has waited for. */
  readonly ours: number;
}

export function machineTime(): MachineTime {
  const ticks = (readProc('/proc/stat').split('\n')[0] ?? '').split(/\s+/).slice(1, 9).map(Number);
  const total = ticks.reduce((sum, one) => sum + one, 0);
  const fields = readProc('/proc/self/stat')
    .replace(/^.*\) /, '')
    .split(' ')
    .slice(11, 15)
    .map(Number);
  return {
    total,
    busy: total - (ticks[3] ?? 0) - (ticks[4] ?? 0),
    stolen: ticks[7] ?? 0,
    ours: fields.reduce((sum, one) => sum + one, 0),
  };
}

/** Shares of the machine that others used and that its host took between two readings; exact once our children have ended. */
export function noiseBetween(from: MachineTime, to: MachineTime): { others: number; stolen: number } {
  const total = to.total - from.total || 1;
  const stolen = to.stolen - from.stolen;
  const others = to.busy - from.busy - stolen - (to.ours - from.ours);
  return { others: Math.max(0, others) / total, stolen: stolen / total };
}
