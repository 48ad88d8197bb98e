// The bare relay: `node:http` in, undici `dispatch` out, nothing else. What a request costs on this stack before a gateway does any work.
// node bench/relay.ts PORT UPSTREAM_PORT

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Pool } from 'undici';

const [port, upstreamPort] = process.argv.slice(2).map(Number);
const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, {
  connections: null,
  pipelining: 1,
  headersTimeout: 0,
  bodyTimeout: 0,
});

const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding', 'host', 'content-length', 'date']);

function kept(headers: IncomingMessage['headers']): Record<string, string | string[]> {
  const result: Record<string, string | string[]> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined && !hopByHop.has(name)) result[name] = value;
  }
  return result;
}

function forward(request: IncomingMessage, reply: ServerResponse, body: Buffer): void {
  pool.dispatch(
    { method: 'POST', path: request.url ?? '/', headers: kept(request.headers), body },
    {
      onRequestStart(controller) {
        reply.on('close', () => {
          if (!reply.writableFinished) controller.abort(new Error('the client left'));
        });
        reply.on('drain', () => controller.resume());
      },
      onResponseStart(_controller, status, headers) {
        const outgoing = kept(headers);
        const length = headers['content-length'];
        if (typeof length === 'string') outgoing['content-length'] = length;
        reply.writeHead(status, outgoing);
      },
      onResponseData(controller, chunk) {
        if (!reply.write(chunk)) controller.pause();
      },
      onResponseEnd() {
        reply.end();
      },
      onResponseError() {
        if (reply.headersSent) reply.destroy();
        else reply.writeHead(502).end();
      },
    },
  );
}

const server = createServer((request, reply) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () =>
    forward(request, reply, pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces)),
  );
});
server.keepAliveTimeout = 600_000;
server.listen({ port, host: '127.0.0.1', backlog: 4096 });
process.on('disconnect', () => process.exit());
