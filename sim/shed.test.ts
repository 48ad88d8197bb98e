import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type ClientAnswer, send } from './client.ts';
import { buildWorld, type SimulatedWorld } from './simulate.ts';

function ask(
  { chance, clock, gateway }: SimulatedWorld,
  rest: object = {},
  sent?: (body: Buffer) => void,
): ClientAnswer {
  const { record, key } = gateway.identify.mint(chance, { name: 'asker' });
  gateway.identify.add(record);
  return send(clock, gateway.listener, {
    path: '/v1/chat/completions',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: 'both', messages: [{ role: 'user', content: 'hi' }], ...rest }),
    ...(sent ? { sent } : {}),
  });
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Five simulated minutes at the most. */
const settle = ({ clock, gateway }: SimulatedWorld) =>
  clock.run(clock.monotonic() + 300_000, () => gateway.inflight() === 0);

test('a loop that lags sheds new work at once, with Retry-After, and takes it again when it is free', async () => {
  let delayMs = 5_000;
  const world = buildWorld(1, { loopDelayMs: () => delayMs });
  const shed = ask(world);
  await settle(world);
  assert.equal(shed.status, 503);
  assert.match(shed.body, /"overloaded"/);
  assert.equal(shed.headers['retry-after'], '2');
  assert.equal(world.deeds.length, 0);
  delayMs = 0;
  ask(world);
  await settle(world);
  assert.ok(world.deeds.length > 0);
});

test('no more exchanges run at once than the bound says', async () => {
  const world = buildWorld(2, { bounds: { exchanges: 5 } });
  const answers = Array.from({ length: 20 }, () => ask(world));
  assert.equal(world.gateway.inflight(), 5);
  await settle(world);
  assert.equal(answers.filter(({ body }) => body.includes('"overloaded"')).length, 15);
  assert.equal(world.gateway.inflight(), 0);
});

test('the bytes of a body are forgotten once the stream that they asked for has begun', async () => {
  const world = buildWorld(7);
  let body: WeakRef<Buffer> | undefined;
  const answer = ask(world, { stream: true, messages: [{ role: 'user', content: 'x'.repeat(2_000) }] }, (sent) => {
    body = new WeakRef(sent);
  });
  const step = async (done: () => boolean): Promise<void> => {
    for (let ms = world.clock.monotonic(); ms < 5_000 && !done(); ms++) await world.clock.run(ms, () => false);
  };
  await step(() => body !== undefined);
  collectGarbage();
  assert.notEqual(body?.deref(), undefined);
  await step(() => answer.body.includes('word'));
  collectGarbage();
  assert.match(answer.body, /word/);
  assert.equal(answer.end, 'open');
  assert.equal(body?.deref(), undefined);
});

test('draining refuses what is new and waits for what runs', async () => {
  const world = buildWorld(3);
  const early = Array.from({ length: 5 }, () => ask(world));
  let drained = false;
  const draining = world.gateway.drain().then(() => {
    drained = true;
  });
  const late = ask(world);
  assert.equal(drained, false);
  await settle(world);
  await draining;
  assert.match(late.body, /"draining"/);
  for (const { end, headers } of early) {
    assert.equal(end, 'whole');
    assert.equal(headers.connection, 'close');
  }
});

test('a disk that is full admits nobody, and serves again when it is not', async () => {
  const world = buildWorld(4);
  world.folder.full = true;
  const refused = ask(world);
  await settle(world);
  assert.match(refused.body, /"ledger_unavailable"/);
  assert.equal(refused.status, 503);
  assert.equal(world.deeds.length, 0);
  world.folder.full = false;
  await settle(world);
  ask(world);
  await settle(world);
  assert.ok(world.deeds.length > 0);
});
