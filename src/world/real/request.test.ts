// A body is the same whoever asks for it and whenever: cut anywhere, chunked or not, asked for at once or late, or not at all.

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { DirectRequest } from './request.ts';

type Handle = (request: DirectRequest, response: ServerResponse) => void;

async function serve(context: TestContext, handle: Handle): Promise<number> {
  const server = createServer({ IncomingMessage: DirectRequest }, (request: IncomingMessage, response) =>
    handle(request as DirectRequest, response as ServerResponse),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Sends the pieces, each in a turn of its own, and gives all that comes back until the server hangs up. */
function exchange(port: number, pieces: readonly Buffer[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const socket = connect(port, '127.0.0.1', async () => {
      socket.setNoDelay(true);
      for (const piece of pieces) {
        socket.write(piece);
        await new Promise((next) => setImmediate(next));
      }
    });
    socket.on('data', (bytes) => {
      said += bytes.toString('latin1');
    });
    socket.on('end', () => resolve(said));
    socket.on('error', reject);
  });
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % bytes.length), bytes.length].sort((one, other) => one - other);
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

function plain(path: string, body: string, more = ''): string {
  return `POST ${path} HTTP/1.1\r\nhost: x\r\n${more}content-length: ${body.length}\r\n\r\n${body}`;
}

function chunked(path: string, body: string, more = ''): string {
  const chunks = body.match(/.{1,7}/gs) ?? [];
  const framed = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
  return `POST ${path} HTTP/1.1\r\nhost: x\r\n${more}transfer-encoding: chunked\r\n\r\n${framed}0\r\n\r\n`;
}

/** Answers a request with its body, asked for at once (`/now`) or when it may all be there already (`/late`). */
const echo: Handle = (request, response) => {
  const ask = (): void => {
    const pieces: Buffer[] = [];
    request.onBody((piece) => {
      if (piece) pieces.push(piece);
      else response.end(`<${Buffer.concat(pieces).toString()}>`);
    });
  };
  if (request.url === '/now') ask();
  else setImmediate(() => setImmediate(ask));
};

test('bodies come whole however they are cut, framed and asked for, one request after another', async (context) => {
  const port = await serve(context, echo);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom('/now', '/late'), fc.boolean(), fc.stringMatching(/^[a-z]{0,40}$/)), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.array(fc.nat(), { maxLength: 6 }),
      async (requests, places) => {
        const texts = requests.map(([path, isChunked, body], index) => {
          const more = index === requests.length - 1 ? 'connection: close\r\n' : '';
          return isChunked ? chunked(path, body, more) : plain(path, body, more);
        });
        const said = await exchange(port, cut(Buffer.from(texts.join('')), places));
        assert.deepEqual(
          [...said.matchAll(/<([a-z]*)>/g)].map(([, body]) => body),
          requests.map(([, , body]) => body),
        );
      },
    ),
    { seed: 11, numRuns: 150 },
  );
});

test('a body that nobody asks for, or that is answered before it is whole, does not disturb the next request', async (context) => {
  const port = await serve(context, (request, response) => {
    if (request.url === '/now') echo(request, response);
    else {
      if (request.url === '/early') request.onBody(() => undefined);
      else request.resume();
      response.end('refused');
    }
  });
  for (const path of ['/early', '/ignored']) {
    const text = plain(path, 'x'.repeat(50_000)) + plain('/now', 'next', 'connection: close\r\n');
    const said = await exchange(port, cut(Buffer.from(text), [30, 100, 20_000, 50_050]));
    assert.match(said, /refused.*<next>/s, path);
  }
});

test('a client that leaves in the middle of its body is told of; one that has sent all of it is left to the answer', async (context) => {
  const events: string[] = [];
  const answers = { '/half': Promise.withResolvers<void>(), '/whole': Promise.withResolvers<void>() };
  let leave = (): void => undefined;
  const port = await serve(context, (request, response) => {
    const note = (event: string): void => void events.push(`${request.url} ${event}`);
    request.on('error', () => note('error'));
    request.on('close', () => note('close'));
    response.on('close', () => answers[request.url as '/half' | '/whole'].resolve());
    request.onBody((piece) => {
      if (piece === null) note('end');
      if (piece === null || request.url === '/half') leave();
    });
  });
  for (const [path, sent] of [
    ['/half', -3],
    ['/whole', undefined],
  ] as const) {
    const socket = connect(port, '127.0.0.1', () => socket.write(plain(path, 'abcdef').slice(0, sent)));
    socket.on('error', () => undefined);
    leave = () => void socket.destroy();
    await answers[path].promise;
  }
  assert.deepEqual(events, ['/half error', '/half close', '/whole end']);
});
