// What an operator meets first: commands in a terminal and in a pipe, a file written later, a file with a slip, no control plane.

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { type GatewayOptions, type GatewayProcess, startGateway } from './gateway.ts';

const bin = resolve(import.meta.dirname, '..', 'bin', 'tollgate.js');
const run = promisify(execFile);

async function start(context: TestContext, options?: GatewayOptions): Promise<GatewayProcess> {
  const gateway = await startGateway(options);
  context.after(() => gateway.close());
  return gateway;
}

/** A shell's line in the gateway's folder, with its data folder and its port. */
async function shell(gateway: GatewayProcess, line: string): Promise<{ code: number; out: string; err: string }> {
  const environment = {
    PATH: process.env.PATH ?? '',
    TOLLGATE_DATA: gateway.dataFolder,
    PORT: new URL(gateway.url).port,
    NODE: process.execPath,
    TOLLGATE: bin,
  };
  try {
    const { stdout, stderr } = await run('sh', ['-c', line], {
      cwd: dirname(gateway.configFile),
      env: environment,
      timeout: 60_000,
    });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

const terminal =
  spawnSync('script', ['--version']).status === 0
    ? false
    : 'script (util-linux) is not installed: no terminal to be had';

test('commands work in a terminal', { skip: terminal }, async (context) => {
  const gateway = await start(context);
  for (const command of ['--version', 'key list', 'spend']) {
    const { code, out } = await shell(gateway, `script -qec '"$NODE" "$TOLLGATE" ${command}' /dev/null < /dev/null`);
    assert.equal(code, 0, out);
    assert.doesNotMatch(out, /Error/);
  }
});

test('a reader that has seen enough ends a command without a word', async (context) => {
  const gateway = await start(context);
  const { out, err } = await shell(gateway, '"$NODE" "$TOLLGATE" --help | head -1');
  assert.match(out, /^tollgate: /);
  assert.equal(err, '');
});

test('a file that is written after a start without one is read', async (context) => {
  const gateway = await start(context, { environment: { LOG_LEVEL: 'info' } });
  const file = join(dirname(gateway.configFile), 'tollgate.yaml');
  assert.equal(existsSync(file), false);
  writeFileSync(file, 'budgets: [{ scope: global, limit: 7 USD, per: month }]\nproviders: { sim: {} }\n');
  const limit = async (): Promise<string> => (await shell(gateway, '"$NODE" "$TOLLGATE" budget list --json')).out;
  while (!(await limit()).includes('"per":"month"'));
  assert.match(gateway.log(), /"event":"config_loaded"/);
});

test('a slip in the file takes no command from who has to act now', async (context) => {
  const gateway = await start(context);
  writeFileSync(join(dirname(gateway.configFile), 'tollgate.yaml'), 'budgets: [{ scope: global, limit: }]\n');
  const seen = await shell(gateway, '"$NODE" "$TOLLGATE" top --json');
  assert.equal(seen.code, 0, seen.err);
  assert.match(seen.err, /tollgate\.yaml:1: .*\n.*going on without this file/);
  const checked = await shell(gateway, '"$NODE" "$TOLLGATE" check');
  assert.equal(checked.code, 1);
});

test('beyond loopback a command says that the control plane is off, and how it is put on', async (context) => {
  const gateway = await start(context, { environment: { HOST: '0.0.0.0' } });
  const { code, err } = await shell(gateway, '"$NODE" "$TOLLGATE" spend');
  assert.equal(code, 1);
  assert.match(err, /admin: \{ enabled: true \}/);
});
