// A terminal for tests of commands: what they print, and a control plane of fixed answers that they ask.

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { sampleTable } from '../config/sample-table.test.ts';
import { type Io, runCommand } from './cli.ts';

export const token = 'token-token-token-token';

export async function run(argv: string[], environment: Record<string, string> = {}, more: Partial<Io> = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const io: Io = {
    out: (line) => void out.push(line),
    error: (line) => void err.push(line),
    fetch,
    table: sampleTable,
    about: { version: '0.1.0', node: process.versions.node },
    ...more,
  };
  return { code: await runCommand(argv, environment, io), out: out.join('\n'), err: err.join('\n') };
}

/** A control plane of fixed answers that notes what it was asked, over a real socket. */
export async function controlPlane(context: TestContext, answers: Record<string, unknown>) {
  const asked: { line: string; authorization: string | undefined; body: string }[] = [];
  const server = createServer((request, reply) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk;
    });
    request.on('end', () => {
      const line = `${request.method} ${request.url}`;
      asked.push({ line, authorization: request.headers.authorization, body });
      const answer = answers[line];
      reply.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
      reply.end(JSON.stringify(answer ?? { error: { message: 'There is nothing here.' } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => server.close());
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

export function folder(context: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'tollgate-cli-'));
  context.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}
