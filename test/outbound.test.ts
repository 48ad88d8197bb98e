// The way to a provider over TLS: a private certificate authority, and a proxy that only sees CONNECT.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer as createHttp, type Server } from 'node:http';
import { createSecureServer as createHttp2, type Http2SecureServer } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, connect, type Server as TcpServer } from 'node:net';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { startGateway } from './gateway.ts';

const certificate = resolve(import.meta.dirname, '../fixtures/tls/certificate.pem');
const answer = JSON.stringify({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'over TLS' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
});

let provider: Server;
let modern: Http2SecureServer;
let proxy: Server;
/** Who stands at the other end of the tunnel. */
let behind: TcpServer;
const tunnels: string[] = [];

before(async () => {
  const key = readFileSync(certificate.replace('certificate', 'key'));
  provider = createHttps({ key, cert: readFileSync(certificate) }, (_, reply) =>
    reply.writeHead(200, { 'content-type': 'application/json' }).end(answer),
  );
  behind = provider;
  modern = createHttp2({ key, cert: readFileSync(certificate), allowHTTP1: true }, (request, reply) => {
    reply.writeHead(200, { 'content-type': 'application/json' });
    reply.end(answer.replace('over TLS', `over HTTP/${request.httpVersion}`));
  });
  modern.on('session', (session) => modern.once('close', () => session.destroy()));
  proxy = createHttp((_, reply) => reply.writeHead(405).end());
  proxy.on('connect', (incoming, socket, head) => {
    tunnels.push(incoming.url ?? '');
    const outward = connect(portOf(behind), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      if (head.length > 0) outward.write(head);
      outward.pipe(socket).pipe(outward);
    });
    outward.on('error', () => socket.destroy());
    socket.on('error', () => outward.destroy());
  });
  for (const server of [provider, modern, proxy])
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});

after(() => {
  modern.close();
  for (const server of [provider, proxy]) {
    server.closeAllConnections();
    server.close();
  }
});

const portOf = (server: TcpServer): number => (server.address() as AddressInfo).port;

async function through(origin: string, environment: Record<string, string>): Promise<{ status: number; text: string }> {
  const gateway = await startGateway({
    config: {
      providers: { tls: { format: 'openai-chat', base_url: `${origin}/v1`, api_key: 'upstream-secret' } },
      prices: { 'tls/*': { input: 1, output: 1 } },
    },
    environment,
  });
  try {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'tls/m', messages: [{ role: 'user', content: 'hi' }] }),
    });
    return { status: response.status, text: (await response.text()) + gateway.log() };
  } finally {
    await gateway.close();
  }
}

test('a private authority is believed when NODE_EXTRA_CA_CERTS names it', async () => {
  const { status, text } = await through(`https://localhost:${portOf(provider)}`, { NODE_EXTRA_CA_CERTS: certificate });
  assert.equal(status, 200, text);
  assert.match(text, /over TLS/);
});

test('a certificate that nobody vouches for is refused before anything is sent', async () => {
  const { status, text } = await through(`https://localhost:${portOf(provider)}`, {});
  assert.equal(status, 502);
  assert.doesNotMatch(text, /over TLS|upstream-secret/);
});

test('HTTPS_PROXY is a tunnel: it sees the name and no request', async () => {
  const { status, text } = await through('https://provider.test', {
    NODE_EXTRA_CA_CERTS: certificate,
    HTTPS_PROXY: `http://127.0.0.1:${portOf(proxy)}`,
  });
  assert.equal(status, 200, text);
  assert.deepEqual(tunnels, ['provider.test:443']);
});

test('HTTP/1.1 is spoken through it, also where the provider would speak HTTP/2', async () => {
  behind = modern;
  const { status, text } = await through('https://provider.test', {
    NODE_EXTRA_CA_CERTS: certificate,
    HTTPS_PROXY: `http://127.0.0.1:${portOf(proxy)}`,
  });
  assert.equal(status, 200, text);
  assert.match(text, /over HTTP\/1.1/);
});

test('NO_PROXY goes round it', async () => {
  const before = tunnels.length;
  const { status, text } = await through(`https://localhost:${portOf(provider)}`, {
    NODE_EXTRA_CA_CERTS: certificate,
    HTTPS_PROXY: `http://127.0.0.1:${portOf(proxy)}`,
    NO_PROXY: 'localhost',
  });
  assert.equal(status, 200, text);
  assert.equal(tunnels.length, before);
});
