import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type GatewayProcess, startGateway } from '../gateway.ts';
import { chat, type Finished, tollgate } from './tools.ts';
import { configFor, startUpstream } from './upstream.ts';

let gateway: GatewayProcess;
let folder: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-errors-'));
  gateway = await startGateway();
});
after(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true, force: true });
});

const start = (environment: Readonly<Record<string, string>>): Promise<Finished> =>
  tollgate(['start'], { PORT: '0', LOG_LEVEL: 'warn', TOLLGATE_DATA: join(folder, 'data'), ...environment }, folder);

test('a port that is taken is one line that names it', async () => {
  const { port } = new URL(gateway.url);
  assert.deepEqual(await start({ PORT: port }), {
    code: 1,
    out: '',
    err: `tollgate: Port ${port} on 127.0.0.1 is taken. Stop what serves there, or set PORT (or listen.port) to another.\n`,
  });
});

test('a second gateway on the same data folder is one line that names it', async () => {
  assert.deepEqual(await start({ TOLLGATE_DATA: gateway.dataFolder }), {
    code: 1,
    out: '',
    err: `tollgate: Another process uses ${gateway.dataFolder}. Stop it, or set TOLLGATE_DATA to another folder.\n`,
  });
});

test('a data folder that cannot be written is one line that says why', async () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const noLock = join(folder, 'no-lock');
  mkdirSync(join(noLock, 'lock'), { recursive: true });
  for (const path of [file, join(file, 'below'), '/proc/tollgate', '/sys/tollgate', noLock]) {
    const { code, out, err } = await start({ TOLLGATE_DATA: path });
    assert.deepEqual([code, out], [1, ''], path);
    assert.match(
      err,
      /^tollgate: The data folder \S+ cannot be written: [^\n]+\. Set TOLLGATE_DATA to [^\n]+\n$/,
      path,
    );
  }
});

for (const [args, message] of [
  [['--prot', '1'], /^tollgate: Unknown option '--prot'/],
  [['now'], /^tollgate: Unexpected argument 'now'/],
  [['--port'], /^tollgate: Option '--port <value>' argument missing/],
] as const)
  test(`start ${args.join(' ')} is wrong use, as it is of any command: 2`, async () => {
    const { code, out, err } = await tollgate(['start', ...args], {}, folder);
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, message);
    assert.match(err, /^usage: tollgate start /m);
  });

test('start --version says the version, as any command does', async () => {
  const done = await tollgate(['start', '--version'], {}, folder);
  assert.deepEqual(done, await tollgate(['--version'], {}, folder));
  assert.equal(done.code, 0);
});

test("a wrong provider key is the gateway's fault to its client: 502 and not 401", async () => {
  const upstream = await startUpstream({ name: 'up', key: 'another' });
  const mistaken = await startGateway({ config: configFor(upstream) });
  try {
    const response = await chat(mistaken, { model: 'up/fast' });
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    assert.equal(response.status, 502);
    assert.equal(error.code, 'upstream_error');
    assert.match(error.message, /^up refused the gateway's account \(401\)/);
    assert.ok(!JSON.stringify(error).includes('key-of-the-gateway'));
  } finally {
    await mistaken.close();
    await upstream.close();
  }
});
