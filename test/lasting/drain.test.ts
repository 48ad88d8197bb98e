import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type GatewayProcess, startGateway } from '../gateway.ts';
import { chat, logged, readerOf, readUntil, receiptsOf } from './tools.ts';
import { configFor, startUpstream, type Upstream } from './upstream.ts';

const streams = 200;
let upstream: Upstream;
let gateway: GatewayProcess;

before(async () => {
  upstream = await startUpstream({ name: 'up' });
  gateway = await startGateway({ config: configFor(upstream), environment: { LOG_LEVEL: 'info' } });
});
after(async () => {
  await gateway.close();
  await upstream.close();
});

/** On a connection of its own: one that is kept alive would answer even where the port is closed. */
const fresh = (path: string): Promise<Response> => fetch(gateway.url + path, { headers: { connection: 'close' } });

test('told to stop with 200 open streams, all of them end well, what is new is sent away, and every receipt is there', async () => {
  const open = await Promise.all(
    Array.from({ length: streams }, async () => {
      const response = await chat(gateway, { model: 'up/held', stream: true });
      const reader = readerOf(response);
      await readUntil(reader, 'up ');
      return { id: response.headers.get('x-tollgate-request-id'), reader };
    }),
  );
  assert.equal((await fresh('/readyz')).status, 200);

  const ended = gateway.kill('SIGTERM');
  await logged(gateway, 'draining');
  const ready = await fresh('/readyz');
  assert.equal(ready.status, 503);
  assert.deepEqual(await ready.json(), { status: 'not_ready', reasons: ['draining'] });
  assert.equal((await fresh('/healthz')).status, 200, 'a draining process is alive');
  const refused = await chat(gateway, { model: 'up/fast' });
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get('retry-after'), '1');
  assert.equal(((await refused.json()) as { error: { code: string } }).error.code, 'draining');
  assert.equal(upstream.asked(), streams, 'what is refused does not reach a provider');

  upstream.release();
  await Promise.all(open.map(({ reader }) => readUntil(reader, 'data: [DONE]\n\n')));
  assert.equal(await ended, 0);
  const completed = receiptsOf(gateway.dataFolder).filter(({ ending }) => ending === 'completed');
  assert.deepEqual(completed.map(({ id }) => id).sort(), open.map(({ id }) => id).sort());
});

test('SIGTERM said twice is a drain still; a second Ctrl-C ends it at once, with a code that says so, and the next start closes its holds', async () => {
  const held = await startUpstream({ name: 'up' });
  const first = await startGateway({ config: configFor(held), environment: { LOG_LEVEL: 'info' } });
  try {
    const response = await chat(first, { model: 'up/held', stream: true });
    const reader = readerOf(response);
    await readUntil(reader, 'up ');
    const ended = first.kill('SIGTERM');
    await logged(first, 'draining');
    first.process.kill('SIGTERM');
    assert.equal((await fetch(`${first.url}/readyz`)).status, 503);
    first.process.kill('SIGINT');
    assert.equal(await ended, 1);
    await assert.rejects(readUntil(reader, 'data: [DONE]'));
    const second = await startGateway({ config: configFor(held), dataFolder: first.dataFolder });
    await second.close();
    const id = response.headers.get('x-tollgate-request-id');
    const receipts = receiptsOf(first.dataFolder).filter((receipt) => receipt.id === id);
    assert.deepEqual(
      receipts.map(({ ending, estimated }) => [ending, estimated]),
      [['crashed', true]],
    );
  } finally {
    await first.close();
    await held.close();
  }
});

test('the grace period is over: open streams end with an error of their format, and their receipts are written', async () => {
  const held = await startUpstream({ name: 'up' });
  const config = configFor(held, { listen: { grace: '100ms' } });
  const short = await startGateway({ config, environment: { LOG_LEVEL: 'info' } });
  try {
    const response = await chat(short, { model: 'up/held', stream: true });
    const reader = readerOf(response);
    await readUntil(reader, 'up ');
    const ended = short.kill('SIGTERM');
    assert.match(await readUntil(reader, '"code":"draining"'), /"error":/);
    // Its provider may bill in full and would be heard out; a process that goes does not wait for it.
    assert.equal((await reader.read()).done, true, 'ended, not torn');
    assert.equal(await ended, 0);
    const id = response.headers.get('x-tollgate-request-id');
    const [receipt] = receiptsOf(short.dataFolder).filter((each) => each.id === id);
    assert.deepEqual([receipt?.ending, receipt?.code, receipt?.estimated], ['cut', 'draining', true]);
  } finally {
    await short.close();
    await held.close();
  }
});
