import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { realClock } from '../world/real/clock.ts';
import { realRandom } from '../world/real/random.ts';
import { createListen } from './listen.ts';

test('a client that never reads a finished answer loses its connection, and is in flight no longer', async (context) => {
  const answer = Buffer.alloc(32_000_000, 'x');
  const listen = createListen(
    { clock: realClock, random: realRandom },
    {
      bodyBytes: 1000,
      allBodiesBytes: 1000,
      exchanges: 10,
      shedDelayMs: 1000,
      stalledMs: 200,
      loopDelayMs: () => 0,
      handle: async ({ reply }) => reply.send(200, {}, answer),
      refuse: () => undefined,
    },
  );
  const server = createServer(listen.listener as never);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    listen.stop();
    server.close();
  });
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.pause();
  const [inside] = (await Promise.all([
    once(server, 'connection'),
    once(socket, 'connect').then(() =>
      socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n'),
    ),
  ]).then(([connection]) => connection)) as [import('node:net').Socket];
  const closed = once(inside, 'close');
  await closed;
  assert.equal(listen.inflight(), 0);
  socket.destroy();
});
