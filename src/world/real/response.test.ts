import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { StreamedResponse } from './response.ts';

type Answer = (response: ServerResponse, url: string) => void;

async function serve(context: TestContext, answer: Answer): Promise<number> {
  const server = createServer({ ServerResponse: StreamedResponse }, (request, response) => {
    request.resume();
    answer(response, request.url ?? '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** All that the server says to these requests on one connection, until it hangs up. */
function exchange(port: number, requests: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(requests));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => resolve(Buffer.concat(chunks)));
    socket.on('error', reject);
  });
}

/** Bodies of chunked answers, read by the letter: every size must be that of its chunk. */
function bodies(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = bytes.indexOf('\r\n\r\n') + 4; at > 3; at = bytes.indexOf('\r\n\r\n', at) + 4) {
    const pieces: Buffer[] = [];
    for (;;) {
      const lineEnd = bytes.indexOf('\r\n', at);
      const line = bytes.toString('latin1', at, lineEnd);
      assert.match(line, /^[0-9a-f]+$/);
      const size = Number.parseInt(line, 16);
      assert.equal(bytes.toString('latin1', lineEnd + 2 + size, lineEnd + 4 + size), '\r\n');
      at = lineEnd + 4 + size;
      if (size === 0) break;
      pieces.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    }
    found.push(Buffer.concat(pieces));
    if (at >= bytes.length) break;
  }
  return found;
}

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nhost: x\r\n${more}\r\n`;
const last = 'connection: close\r\n';

test('chunks of any kind and size arrive whole, in order, within a turn and over many', async (context) => {
  let given: readonly (string | Uint8Array | { readonly latin1: string })[] = [];
  const port = await serve(context, (response, url) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const left = [...given];
    const next = (): void => {
      const chunk = left.shift();
      if (chunk === undefined) {
        response.end();
        return;
      }
      if (typeof chunk === 'object' && 'latin1' in chunk) response.write(chunk.latin1, 'latin1');
      else response.write(chunk);
      if (url === '/turns') setImmediate(next);
      else next();
    };
    next();
  });
  const text = fc.constantFrom('', 'data: x\n\n', 'é', '\u{1f600}\n', 'a'.repeat(16_383), 'é'.repeat(20_000));
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          text,
          text.map((each) => Buffer.from(each)),
          text.map((each) => ({ latin1: Buffer.from(each).toString('latin1') })),
        ),
        { maxLength: 8 },
      ),
      fc.constantFrom('/turns', '/turn'),
      async (chunks, path) => {
        given = chunks;
        const answer = await exchange(port, get(path) + get(path, last));
        const whole = Buffer.concat(
          chunks.map((chunk) =>
            typeof chunk === 'string'
              ? Buffer.from(chunk)
              : 'latin1' in chunk
                ? Buffer.from(chunk.latin1, 'latin1')
                : chunk,
          ),
        );
        assert.deepEqual(bodies(answer), [whole, whole]);
      },
    ),
    { seed: 5, numRuns: 60 },
  );
});

test('answers to requests that came together stay in their order', async (context) => {
  const held: (() => void)[] = [];
  const port = await serve(context, (response, url) => {
    response.writeHead(200);
    response.write(`${url} begins,`);
    response.write(`${url} goes on,`);
    const end = (): void => {
      response.write(`${url} ends`);
      response.end();
    };
    held.unshift(end);
    if (held.length === 2) for (const each of held) each();
  });
  const answer = await exchange(port, get('/a') + get('/b', last));
  assert.deepEqual(bodies(answer).map(String), ['/a begins,/a goes on,/a ends', '/b begins,/b goes on,/b ends']);
});

test('a client that does not read is waited for, and the writer hears when it goes on', async (context) => {
  const chunk = Buffer.alloc(16_000, 'x');
  let drained = 0;
  let written = 0;
  const total = 2000;
  const full = Promise.withResolvers<void>();
  const port = await serve(context, (response) => {
    response.writeHead(200);
    const go = (): void => {
      while (written < total) {
        written += 1;
        if (response.write(chunk)) continue;
        full.resolve();
        return;
      }
      response.end();
    };
    response.on('drain', () => {
      drained += 1;
      go();
    });
    go();
  });
  const socket = connect(port, '127.0.0.1', () => socket.write(get('/', last)));
  await full.promise;
  assert.ok(written < total);
  let read = 0;
  socket.on('data', (piece) => {
    read += piece.length;
  });
  await new Promise((resolve) => socket.on('end', resolve));
  assert.ok(drained > 0 && written === total);
  assert.ok(read > total * chunk.length);
});

test('a HEAD request gets a head alone', async (context) => {
  const port = await serve(context, (response) => {
    response.writeHead(200, { 'transfer-encoding': 'chunked' });
    response.write('one');
    response.write('two');
    response.end();
  });
  const answer = await exchange(port, `HEAD / HTTP/1.1\r\nhost: x\r\n${last}\r\n`);
  assert.ok(answer.toString('latin1').endsWith('\r\n\r\n'));
  assert.ok(!answer.includes('one') && !answer.includes('two'));
});
