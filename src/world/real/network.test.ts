import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { after, test } from 'node:test';
import type { CallFailure, CallHandle, TokenRequest } from '../../exchange/wire.ts';
import { createNetwork } from './network.ts';

let clockMs = 0;
const network = createNetwork({}, { monotonic: () => clockMs });
const open: Server[] = [];
after(async () => {
  await network.close();
  for (const server of open) server.closeAllConnections();
  for (const server of open) server.close();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function request(origin: string, rest: Partial<TokenRequest> = {}): TokenRequest {
  return {
    method: 'POST',
    origin,
    path: '/v1/chat/completions',
    headers: { 'content-type': 'application/json' },
    body: '{"hello":1}',
    timeouts: { connect: 300, firstByte: 60_000, idle: 60_000, total: 60_000 },
    trust: 'config',
    ...rest,
  };
}

interface Result {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string;
  failure?: CallFailure;
}

function run(wanted: TokenRequest, began?: (handle: CallHandle) => void): Promise<Result> {
  return new Promise((resolve) => {
    const result: Result = { status: 0, headers: {}, body: '' };
    const handle = network.dispatch(wanted, {
      start(status, headers) {
        result.status = status;
        result.headers = headers;
        began?.(handle);
      },
      data(chunk) {
        result.body += chunk.toString();
      },
      end: () => resolve(result),
      fail: (failure) => resolve({ ...result, failure }),
    });
  });
}

test('a request arrives whole and its answer comes back', async () => {
  const origin = await serve((incoming, reply) => {
    let body = '';
    incoming.on('data', (chunk) => {
      body += chunk;
    });
    incoming.on('end', () => reply.writeHead(201, { 'x-seen': incoming.headers['content-type'] ?? '' }).end(body));
  });
  const { status, headers, body } = await run(request(origin));
  assert.deepEqual([status, headers['x-seen'], body], [201, 'application/json', '{"hello":1}']);
});

test('a redirect is an answer, not a way', async () => {
  const origin = await serve((_, reply) => reply.writeHead(307, { location: 'http://169.254.169.254/' }).end());
  assert.equal((await run(request(origin))).status, 307);
});

test('nobody listens: nothing was sent', async () => {
  const origin = await serve(() => undefined);
  const server = open.pop();
  await new Promise((resolve) => server?.close(resolve));
  const { failure } = await run(request(origin));
  assert.deepEqual([failure?.kind, failure?.sent], ['connect', false]);
});

test('a handshake that never ends runs into the connect clock', async () => {
  const silent = createTcpServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { failure } = await run(request(`https://127.0.0.1:${(silent.address() as AddressInfo).port}`));
  assert.deepEqual([failure?.kind, failure?.clock, failure?.sent], ['timeout', 'connect', false]);
  silent.close();
});

test('a fresh connection that is reset may have been charged', async () => {
  const origin = await serve((incoming) => incoming.socket.destroy());
  const { failure } = await run(request(origin));
  assert.deepEqual([failure?.kind, failure?.sent], ['reset', true]);
});

const raceMs = 1_000;
for (const { how, end } of [
  { how: 'closed', end: (socket: Socket) => socket.destroy() },
  { how: 'reset', end: (socket: Socket) => socket.resetAndDestroy() },
])
  for (const { after, afterMs, sent } of [
    { after: 'at once was the keep-alive race', afterMs: 0, sent: false },
    { after: 'within a second was that race on a long way', afterMs: raceMs - 1, sent: false },
    { after: 'after a second had taken the request, and may have charged it', afterMs: raceMs, sent: true },
    { after: 'after a minute had taken the request, and may have charged it', afterMs: 60_000, sent: true },
  ])
    test(`${sent ? 'D6: ' : ''}a kept connection that is ${how} before any answer, and ${after}`, async () => {
      const taken: IncomingMessage[] = [];
      const origin = await serve((incoming, reply) => {
        taken.push(incoming);
        incoming.resume().on('end', () => {
          if (taken.length === 1) {
            reply.end('one');
            return;
          }
          clockMs += afterMs;
          end(incoming.socket);
        });
      });
      assert.equal((await run(request(origin))).body, 'one');
      // A turn later the connection is free again.
      await new Promise<void>((resolve) => setImmediate(resolve));
      const { failure } = await run(request(origin));
      assert.equal(taken[0]?.socket, taken[1]?.socket);
      assert.deepEqual([failure?.kind, failure?.sent], ['reset', sent]);
    });

test('a connection opened beside another one is a fresh one', async () => {
  const first = Promise.withResolvers<ServerResponse>();
  const sockets: unknown[] = [];
  const origin = await serve((incoming, reply) => {
    sockets.push(incoming.socket);
    if (sockets.length === 1) first.resolve(reply);
    else incoming.socket.destroy();
  });
  const holding = run(request(origin));
  const reply = await first.promise;
  // The first connection is in use, so that the second request needs one of its own.
  const { failure } = await run(request(origin));
  reply.end('one');
  await holding;
  assert.equal(new Set(sockets).size, 2);
  assert.equal(failure?.sent, true);
});

test('an answer that breaks off is a reset, whoever had the connection before', async () => {
  const origin = await serve((_, reply) => {
    reply.writeHead(200, { 'content-length': 100 });
    reply.write('half', () => reply.destroy());
  });
  const { failure, body } = await run(request(origin));
  assert.deepEqual([failure?.kind, failure?.sent, body], ['reset', true, 'half']);
});

test('an abort reaches the provider', async () => {
  const closed = Promise.withResolvers<void>();
  const origin = await serve((_, reply) => {
    reply.writeHead(200).write('x');
    reply.on('close', () => closed.resolve());
  });
  const { failure } = await run(request(origin), (handle) => handle.abort());
  assert.equal(failure?.kind, 'aborted');
  await closed.promise;
});

test('a host named by an API or a client never resolves to an inner address', async () => {
  const origin = await serve((_, reply) => reply.end('secret'));
  for (const host of [origin, origin.replace('127.0.0.1', 'localhost')]) {
    const { failure, body } = await run(request(host, { trust: 'public' }));
    assert.deepEqual([failure?.kind, body], ['forbidden-address', '']);
  }
});

test('a paused call takes no more than what is under way', async () => {
  let written = 0;
  const origin = await serve((_, reply) => {
    reply.writeHead(200);
    const chunk = Buffer.alloc(65_536);
    const more = (): void => {
      while (written < 64_000_000) {
        written += chunk.length;
        if (!reply.write(chunk)) break;
      }
    };
    reply.on('drain', more);
    reply.on('close', () => undefined);
    more();
  });
  let received = 0;
  await new Promise<void>((resolve) => {
    const handle = network.dispatch(request(origin), {
      start() {},
      data(chunk) {
        received += chunk.length;
        handle.pause();
        // What the sockets still hold arrives in later turns; once a whole turn of I/O brings nothing, it stands still.
        setImmediate(() => setImmediate(() => handle.abort()));
      },
      end: () => resolve(),
      fail: () => resolve(),
    });
  });
  assert.ok(received < 1_000_000, `${received} bytes passed a paused call`);
});
