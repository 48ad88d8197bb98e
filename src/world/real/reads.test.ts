import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, Socket } from 'node:net';
import { resolve } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { createServer as createTlsServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import fc from 'fast-check';
import type { CallHandle } from '../../exchange/wire.ts';
import { createNetwork } from './network.ts';

const folder = resolve(import.meta.dirname, '../../../fixtures/tls');
const certificate = readFileSync(resolve(folder, 'certificate.pem'), 'utf8');
const network = createNetwork();
/** What each connection gets to hear once it has asked, piece by piece. */
let answer: readonly Buffer[] = [];

const speak = (socket: Socket): void => {
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  socket.on('data', () => {
    const pieces = [...answer];
    const next = (): void => {
      const piece = pieces.shift();
      if (piece) socket.write(piece, () => setImmediate(next));
    };
    next();
  });
};
const plain = createServer(speak);
const secure = createTlsServer({ key: readFileSync(resolve(folder, 'key.pem')), cert: certificate }, speak);

before(async () => {
  setDefaultCACertificates([...getCACertificates(), certificate]);
  for (const server of [plain, secure])
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
});
after(async () => {
  await network.close();
  plain.close();
  secure.close();
});

interface Read {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly failure: string | undefined;
}

/** Pauses at every `pauseEach`th piece, until the next turn. */
function read(server: Server, scheme: 'http' | 'https', pauseEach = Number.POSITIVE_INFINITY): Promise<Read> {
  return new Promise((settle) => {
    const pieces: Buffer[] = [];
    let headers: Read['headers'] = {};
    const finish = (failure?: string): void => settle({ headers, body: Buffer.concat(pieces).toString(), failure });
    const handle: CallHandle = network.dispatch(
      {
        method: 'POST',
        origin: `${scheme}://localhost:${(server.address() as AddressInfo).port}`,
        path: '/',
        headers: {},
        body: '{}',
        timeouts: { connect: 5_000, firstByte: 60_000, idle: 60_000, total: 60_000 },
        trust: 'config',
      },
      {
        start(_, received) {
          headers = received;
        },
        data(chunk) {
          pieces.push(chunk);
          if (pieces.length % pauseEach !== 0) return;
          handle.pause();
          setImmediate(() => handle.resume());
        },
        end: () => finish(),
        fail: ({ kind }) => finish(kind),
      },
    );
  });
}

async function serve(context: TestContext, speaks: (socket: Socket) => void): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    speaks(socket);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  context.after(() => server.close());
  return server;
}

function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let from = 0;
  for (let at = 0; from < bytes.length; at++) {
    // Beyond the lengths that were drawn the rest leaves at once.
    const to = at < lengths.length ? from + (lengths[at] ?? 1) : bytes.length;
    pieces.push(bytes.subarray(from, to));
    from = to;
  }
  return pieces;
}

function answerOf(chunks: readonly string[]): Buffer {
  const body = chunks.map((chunk) => `${Buffer.byteLength(chunk).toString(16)}\r\n${chunk}\r\n`).join('');
  return Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-long: ${'y'.repeat(300)}\r\ntransfer-encoding: chunked\r\n\r\n${body}0\r\n\r\n`,
  );
}

for (const scheme of ['http', 'https'] as const)
  test(`an answer over ${scheme} comes whole, wherever it is cut and however often its reader pauses`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.string({ minLength: 1, unit: 'binary' }), fc.constant('long '.repeat(20_000))), {
          minLength: 1,
          maxLength: 12,
        }),
        fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 90_000 })), { maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        async (chunks, lengths, pauseEach) => {
          answer = cut(answerOf(chunks), lengths);
          const server = scheme === 'http' ? plain : secure;
          const { headers, body, failure } = await read(server, scheme, pauseEach);
          assert.deepEqual(
            [failure, headers['x-long'], headers['content-type']],
            [undefined, 'y'.repeat(300), 'text/event-stream'],
          );
          assert.ok(body === chunks.join(''));
        },
      ),
      { seed: 11, numRuns: 120 },
    );
  });

test("a piece that is taken at once never waits in node's stream", async (context) => {
  const pushed = context.mock.method(Socket.prototype, 'push');
  answer = cut(answerOf(['a', 'b', 'c']), [250, 100, 20, 6]);
  assert.equal((await read(plain, 'http')).body, 'abc');
  // The other end's reads go through node's stream, as do both ends of a connection.
  const sizes = pushed.mock.calls.map(({ arguments: [piece] }) => (piece as Buffer | null)?.length);
  assert.deepEqual(
    sizes.filter((size) => size === 250 || size === 100 || size === 20),
    [],
  );
});

test('what one connection hears is never that of another', async (context) => {
  const wanted = Array.from({ length: 40 }, (_, index) => `${index} `.repeat(3_000));
  const texts = [...wanted];
  const server = await serve(context, (socket) =>
    socket.once('data', () => {
      for (const piece of cut(
        answerOf([texts.pop() ?? '']),
        Array.from({ length: 50 }, () => 97),
      ))
        socket.write(piece);
    }),
  );
  const answers = await Promise.all(wanted.map(() => read(server, 'http')));
  assert.deepEqual(answers.map(({ body }) => body).toSorted(), wanted.toSorted());
});

test('what a provider says unasked on a kept connection ends that connection, and is no answer', async (context) => {
  const talkers: Socket[] = [];
  const server = await serve(context, (socket) => {
    talkers.push(socket);
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
  });
  assert.equal((await read(server, 'http')).body, 'ok');
  const closed = new Promise((settle) => talkers[0]?.once('close', settle));
  talkers[0]?.write('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstolen');
  await closed;
  assert.equal((await read(server, 'http')).body, 'ok');
  assert.equal(talkers.length, 2);
});
