import assert from 'node:assert/strict';
import { createServer, ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { DirectResponse } from './response.ts';

type Answer = (response: ServerResponse, url: string) => void;

async function serve(context: TestContext, answer: Answer, made = DirectResponse): Promise<number> {
  const server = createServer({ ServerResponse: made, keepAliveTimeout: 75_000 }, (request, response) => {
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

const json = { 'content-type': 'application/json', 'x-of-ours': '0.0001' };
const heads: Readonly<Record<string, (response: ServerResponse) => unknown>> = {
  'a length as a number': (response) =>
    response.writeHead(200, { ...json, 'content-length': 5 }).end(Buffer.from('whole')),
  'a length as text': (response) => response.writeHead(404, { ...json, 'content-length': '5' }).end('whole'),
  'a whole answer of bytes beyond ASCII': (response) =>
    response
      .writeHead(200, { ...json, 'content-length': 256 })
      .end(Uint8Array.from({ length: 256 }, (_, byte) => byte)),
  'a whole answer of text beyond ASCII': (response) =>
    response.writeHead(200, { 'content-length': 6 }).end('\u20acuro'),
  'a large whole answer': (response) =>
    response.writeHead(200, { 'content-length': 100_000 }).end(Buffer.alloc(100_000, 'y')),
  nothing: (response) => response.writeHead(200, { 'content-length': 0 }).end(Buffer.alloc(0)),
  'nothing, and no length': (response) => response.writeHead(200, json).end(),
  'no length': (response) => response.writeHead(200, json).end(Buffer.from('whole')),
  chunks: (response) => {
    response.writeHead(200, json).write('one');
    response.end(Buffer.from('two'));
  },
  'no head at all': (response) => response.end(Buffer.from('whole')),
  'no headers': (response) => response.writeHead(500).end('whole'),
  'headers set one by one': (response) => {
    response.setHeader('X-One', '1');
    response.writeHead(200, { 'x-two': '2' }).end(Buffer.from('whole'));
  },
  'headers as a list': (response) => response.writeHead(200, ['x-one', '1', 'x-one', '2']).end(Buffer.from('whole')),
  'a header more than once': (response) =>
    response.writeHead(200, { 'set-cookie': ['a=1', 'b=2'] }).end(Buffer.from('whole')),
  capitals: (response) => response.writeHead(200, { 'Content-Length': 5, 'X-One': 'a' }).end('whole'),
  'a value beyond ASCII': (response) => response.writeHead(200, { 'x-one': '\u00e9' }).end('whole'),
  'the end of the connection': (response) =>
    response.writeHead(200, { ...json, connection: 'close', 'content-length': 5 }).end('whole'),
  'a date of its own': (response) => response.writeHead(200, { date: 'today' }).end('whole'),
  'no date': (response) => {
    response.sendDate = false;
    response.writeHead(200, json).end('whole');
  },
  'a status without a body': (response) => response.writeHead(204, { 'x-one': '1' }).end(),
  'a line feed in a value': (response) => {
    assert.throws(() => response.writeHead(200, { 'x-one': 'a\r\nx-two: b' }), { code: 'ERR_INVALID_CHAR' });
    response.end('refused');
  },
  'a blank in a name': (response) => {
    assert.throws(() => response.writeHead(200, { 'x one': 'a' }), { code: 'ERR_INVALID_HTTP_TOKEN' });
    response.end('refused');
  },
  'a value that is none': (response) => {
    assert.throws(() => response.writeHead(200, { 'x-one': undefined }), { code: 'ERR_HTTP_INVALID_HEADER_VALUE' });
    response.end('refused');
  },
};
const requests: Readonly<Record<string, string>> = {
  kept: get('/') + get('/', last),
  'kept by HTTP/1.0': 'GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n',
  'a head alone': `HEAD / HTTP/1.1\r\nhost: x\r\n${last}\r\n`,
  'a wish to go on': `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nexpect: 100-continue\r\n${last}\r\n`,
};

for (const [name, answer] of Object.entries(heads)) {
  test(`to the byte what node would send: ${name}`, async (context) => {
    let failed: unknown;
    const told: Answer = (response) => {
      try {
        answer(response);
      } catch (error) {
        failed = error;
        response.destroy();
      }
    };
    const [ours, nodes] = [
      await serve(context, told),
      await serve(context, told, ServerResponse as typeof DirectResponse),
    ];
    for (const text of Object.values(requests)) {
      const [one, other] = [await exchange(ours, text), await exchange(nodes, text)];
      assert.equal(failed, undefined);
      assert.deepEqual(dateless(one), dateless(other));
      assert.ok(one.length > 0);
    }
  });
}

function dateless(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/^Date: .*GMT\r$/gm, 'Date: now');
}
