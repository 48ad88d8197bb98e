// The far side of the gateway: one real server that plays scripted answers in all three formats and keeps what it was asked.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Json, object, type Said, type Seen, type Wire } from './script.ts';
import { anthropicWire } from './wire-anthropic.ts';
import { geminiWire } from './wire-gemini.ts';
import { openaiWire } from './wire-openai.ts';

export type Script =
  | { readonly kind: 'said'; readonly said: Said }
  | { readonly kind: 'error'; readonly status: 400 | 429 | 500 }
  /** Begins to stream and then says nothing more. */
  | { readonly kind: 'hangs'; readonly said: Said };

export interface Provider {
  readonly url: string;
  /** Forgets what it saw and sets what it says next, one answer a request; the last one is repeated. */
  play(...scripts: Script[]): void;
  seen(): readonly Seen[];
  /** Resolves when the client of a hanging stream has closed its connection. */
  abandoned(): Promise<void>;
  close(): Promise<void>;
}

export async function startProvider(): Promise<Provider> {
  let scripts: readonly Script[] = [];
  let seen: Seen[] = [];
  let left = Promise.withResolvers<void>();

  const server = createServer((request, response) => {
    void handle(request, response).catch((error: unknown) => response.destroy(error as Error));
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = object(JSON.parse(Buffer.concat(chunks).toString('utf8')));
    const path = request.url ?? '';
    const wire = wireOf(request, body);
    if (!wire) return void response.writeHead(404).end('{}');
    const asked = wire.seen(path, body);
    seen.push(asked);
    const script = scripts[Math.min(seen.length, scripts.length) - 1];
    if (!script) return void response.writeHead(500).end('{}');
    if (script.kind === 'error') {
      const headers = { 'content-type': 'application/json', ...(script.status === 429 && { 'retry-after': '7' }) };
      return void response.writeHead(script.status, headers).end(JSON.stringify(wire.error(script.status)));
    }
    if (!asked.stream) {
      const answer = JSON.stringify(wire.answer(script.said, asked.model));
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
    }
    const frames = wire.stream(script.said, asked.model);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (script.kind === 'said') {
      for (const frame of frames) response.write(frame);
      return void response.end();
    }
    response.once('close', left.resolve);
    for (const frame of frames.slice(0, Math.ceil(frames.length / 2))) response.write(frame);
  }

  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    play(...next) {
      scripts = next;
      seen = [];
      left = Promise.withResolvers<void>();
    },
    seen: () => seen,
    abandoned: () => left.promise,
    close: () =>
      new Promise((settle) => {
        server.close(() => settle());
        server.closeAllConnections();
      }),
  };
}

/** By path and credential, as the real ones: a request that carries the wrong kind of key is not theirs. */
function wireOf(request: IncomingMessage, body: Json): Wire | undefined {
  const path = (request.url ?? '').split('?')[0] ?? '';
  const { headers } = request;
  if (path === '/v1/chat/completions' && headers.authorization === 'Bearer sk-provider') return openaiWire;
  if (path === '/v1/messages' && headers['x-api-key'] === 'sk-provider' && headers['anthropic-version'])
    return typeof body.max_tokens === 'number' ? anthropicWire : undefined;
  if (/^\/v1beta\/models\/[^/]+:(stream)?[gG]enerateContent$/.test(path) && headers['x-goog-api-key'] === 'sk-provider')
    return geminiWire;
  return undefined;
}
