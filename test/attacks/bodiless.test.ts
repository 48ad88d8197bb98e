// Answers that may have no body, asked for by a client or forced by a provider: neither may end the process.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { type GatewayProcess, startGateway } from '../gateway.ts';

let gateway: GatewayProcess;
/** Answers with the status that its model is named after. */
const provider = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => {
    body += chunk.toString('utf8');
  });
  request.on('end', () => {
    response.writeHead(Number(/"status-(\d+)"/.exec(body)?.[1]), { location: 'http://127.0.0.1:1/' });
    response.end();
  });
});

before(async () => {
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/v1`;
  gateway = await startGateway({
    config: { providers: { bare: { format: 'openai-chat', base_url: base, api_key: 'of-the-test', free: true } } },
  });
});

after(async () => {
  await gateway.close();
  provider.closeAllConnections();
  provider.close();
});

for (const path of ['/', '/v1/models', '/v1/chat/completions', '/v1beta/models/m:generateContent', '/admin/keys'])
  test(`HEAD ${path} without a key is refused without a body, and the gateway lives`, async () => {
    const response = await fetch(gateway.url + path, { method: 'HEAD' });
    assert.ok(response.status >= 400 && response.status < 500);
    assert.equal(await response.text(), '');
    assert.equal((await fetch(`${gateway.url}/healthz`)).status, 200);
  });

for (const status of [204, 205, 300, 302, 304, 308])
  for (const stream of [false, true])
    test(`a provider's ${status} ${stream ? 'to a stream' : ''} is the provider's failure, said in full`, async () => {
      const response = await fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        redirect: 'manual',
        headers: { authorization: `Bearer ${gateway.key}` },
        body: JSON.stringify({ model: `bare/status-${status}`, stream, messages: [{ role: 'user', content: 'x' }] }),
      });
      assert.equal(response.status, 502);
      const { error } = (await response.json()) as { error: { code: string; message: string } };
      assert.equal(error.code, 'upstream_error');
      assert.match(error.message, /^bare: /);
      if (status >= 300) assert.match(error.message, new RegExp(`${status}.*base_url`));
    });
