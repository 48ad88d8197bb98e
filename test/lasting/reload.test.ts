import assert from 'node:assert/strict';
import { mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { type GatewayProcess, startGateway } from '../gateway.ts';
import { chat, logged, readerOf, readUntil } from './tools.ts';
import { startUpstream, type Upstream } from './upstream.ts';

let upstreams: Upstream[];
let gateway: GatewayProcess;

const configTo = (name: string): unknown => ({
  providers: Object.fromEntries(
    ['first', 'second'].map((each, at) => [
      each,
      { base_url: upstreams[at]?.url, format: 'openai-chat', api_key: 'key', free: true },
    ]),
  ),
  models: { quick: `${name}/fast`, slow: `${name}/held` },
});

before(async () => {
  upstreams = [await startUpstream({ name: 'first' }), await startUpstream({ name: 'second' })];
  gateway = await startGateway({ config: configTo('first'), environment: { LOG_LEVEL: 'info' } });
});
after(async () => {
  await gateway.close();
  for (const upstream of upstreams) await upstream.close();
});

const served = async (): Promise<string> => {
  const response = await chat(gateway, { model: 'quick' });
  assert.equal(response.status, 200, await response.clone().text());
  return response.headers.get('x-tollgate-provider') ?? '';
};

test('a target that is swapped under load fails nobody: what is open ends where it began, what is new goes elsewhere', async () => {
  const readers = await Promise.all(
    Array.from({ length: 10 }, async () => readerOf(await chat(gateway, { model: 'slow', stream: true }))),
  );
  await Promise.all(readers.map((reader) => readUntil(reader, 'first ')));
  const answers: Promise<string>[] = [];
  const load = setInterval(() => answers.push(served()), 5);
  const from = gateway.log().length;
  gateway.configure(configTo('second'));
  await logged(gateway, 'config_loaded', from);
  assert.equal(await served(), 'second');
  clearInterval(load);
  assert.ok((await Promise.all(answers)).includes('first'), 'there was traffic before the swap');
  for (const upstream of upstreams) upstream.release();
  await Promise.all(readers.map((reader) => readUntil(reader, 'data: [DONE]')));
});

test('a bad file is refused with its line, and the last good one serves on', async () => {
  const from = gateway.log().length;
  writeFileSync(gateway.configFile, '{\n  "modelz": {}\n}\n');
  const { line, key } = await logged(gateway, 'config_refused', from);
  assert.deepEqual([line, key], [2, 'modelz']);
  assert.equal(await served(), 'second');
});

test('SIGHUP reads the file again', async () => {
  gateway.configure(configTo('first'));
  const from = gateway.log().length;
  gateway.process.kill('SIGHUP');
  const { cause } = await logged(gateway, 'config_loaded', from);
  assert.equal(cause, 'SIGHUP');
  assert.equal(await served(), 'first');
});

test('a Kubernetes volume swaps the folder behind its link, and that is noticed', async () => {
  const folder = dirname(gateway.configFile);
  const volume = (name: string, target: string): void => {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'tollgate.json'), JSON.stringify(configTo(target)));
  };
  let from = gateway.log().length;
  volume('..one', 'first');
  symlinkSync('..one', join(folder, '..data'));
  unlinkSync(gateway.configFile);
  symlinkSync(join('..data', 'tollgate.json'), gateway.configFile);
  gateway.process.kill('SIGHUP');
  await logged(gateway, 'config_loaded', from);
  assert.equal(await served(), 'first');
  from = gateway.log().length;
  volume('..two', 'second');
  symlinkSync('..two', join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  const { cause } = await logged(gateway, 'config_loaded', from);
  assert.equal(cause, 'file changed');
  assert.equal(await served(), 'second');
});
