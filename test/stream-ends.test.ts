// A stream's last bytes, as a provider tears them: the client gets the same, whatever ends the lines.

import assert from 'node:assert/strict';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { type GatewayProcess, startGateway } from './gateway.ts';

let gateway: GatewayProcess;
let pieces: readonly string[] = [];

const provider = createServer((socket: Socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  socket.once('data', () => {
    const left = pieces.map((piece) => `${Buffer.byteLength(piece).toString(16)}\r\n${piece}\r\n`);
    left.unshift('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n');
    const next = (): void => {
      const piece = left.shift();
      if (piece !== undefined) socket.write(piece, () => setImmediate(next));
      else socket.end('0\r\n\r\n');
    };
    next();
  });
});

before(async () => {
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/v1`;
  gateway = await startGateway({
    config: { providers: { torn: { format: 'openai-chat', base_url: base, api_key: 'of-the-test', free: true } } },
  });
});

after(async () => {
  await gateway.close();
  provider.close();
});

const chunk = (delta: object, finish: string | null): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}`;

for (const [name, end] of [
  ['LF', '\n'],
  ['CRLF', '\r\n'],
  ['CR', '\r'],
] as const)
  for (let tail = 1; tail <= 2 * end.length; tail++)
    test(`${name}: the last ${tail} bytes in a piece of their own`, async () => {
      const events = [
        chunk({ role: 'assistant', content: 'one ' }, null),
        chunk({ content: 'two' }, null),
        chunk({}, 'stop'),
      ];
      const whole = [...events, 'data: [DONE]'].map((event) => event + end + end);
      const last = whole.pop() ?? '';
      pieces = [...whole, last.slice(0, -tail), last.slice(-tail)];
      const response = await fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'torn/m', stream: true, messages: [{ role: 'user', content: 'x' }] }),
      });
      assert.equal(await response.text(), pieces.join(''));
    });
