// A small OpenAI-compatible provider on a real socket, whose streams can be held open for as long as a test wants.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Upstream {
  readonly url: string;
  /** Requests that came in so far. */
  asked(): number;
  /** Lets every held stream go to its end, those to come included. */
  release(): void;
  close(): Promise<void>;
}

export interface UpstreamOptions {
  /** The first word of every answer: which upstream it was. */
  readonly name: string;
  /** The one key that is let in; absent lets everybody in. */
  readonly key?: string;
}

/** Models: `held` stays open after its first words until `release`, `long` streams 400 words, every other one 12. */
export async function startUpstream(options: UpstreamOptions): Promise<Upstream> {
  const held = new Set<() => void>();
  let released = false;
  let asked = 0;

  function answer(request: IncomingMessage, body: string, reply: ServerResponse): void {
    asked++;
    if (options.key !== undefined && request.headers.authorization !== `Bearer ${options.key}`) {
      const error = { message: 'Incorrect API key provided.', type: 'invalid_request_error', code: 'invalid_api_key' };
      json(reply, 401, { error });
      return;
    }
    const { model, stream = false } = JSON.parse(body) as { model: string; stream?: boolean };
    const words = [`${options.name} `, ...Array.from({ length: model === 'long' ? 399 : 11 }, (_, at) => `word${at} `)];
    const usage = { prompt_tokens: 7, completion_tokens: words.length, total_tokens: 7 + words.length };
    const head = { id: `chatcmpl-${asked}`, created: 1_767_225_600, model };
    if (!stream) {
      const message = { role: 'assistant', content: words.join('') };
      const choices = [{ index: 0, message, finish_reason: 'stop' }];
      setTimeout(() => json(reply, 200, { ...head, object: 'chat.completion', choices, usage }), 5);
      return;
    }
    const event = (more: unknown): string =>
      `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', ...(more as object) })}\n\n`;
    const delta = (content: string): string => event({ choices: [{ index: 0, delta: { content } }] });
    const end = (): void => {
      reply.write(event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }));
      reply.end(`${event({ choices: [], usage })}data: [DONE]\n\n`);
    };
    reply.writeHead(200, { 'content-type': 'text/event-stream' });
    const [first = '', ...rest] = words;
    reply.write(delta(first));
    if (model !== 'held') play(reply, rest.map(delta), end);
    else if (released) end();
    else held.add(end);
  }

  const server: Server = createServer((request, reply) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('utf8');
    });
    request.on('end', () => answer(request, body, reply));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked: () => asked,
    release() {
      released = true;
      for (const end of held) end();
      held.clear();
    },
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

function json(reply: ServerResponse, status: number, body: unknown): void {
  reply.writeHead(status, { 'content-type': 'application/json' });
  reply.end(JSON.stringify(body));
}

/** One event a millisecond, as a fast model does; ends early where the gateway has left. */
function play(reply: ServerResponse, events: readonly string[], end: () => void): void {
  let at = 0;
  const timer = setInterval(() => {
    const event = events[at++];
    if (reply.destroyed) clearInterval(timer);
    else if (event !== undefined) reply.write(event);
    else {
      clearInterval(timer);
      end();
    }
  }, 1);
}

/** A configuration with this upstream as the provider `up`, at 1 USD a million tokens in and 10 out. */
export function configFor(upstream: Upstream, more: Record<string, unknown> = {}): Record<string, unknown> {
  const price = { input: 1, output: 10 };
  return {
    providers: { up: { base_url: upstream.url, format: 'openai-chat', api_key: 'key-of-the-gateway' } },
    prices: Object.fromEntries(['fast', 'held', 'long'].map((model) => [`up/${model}`, price])),
    budgets: [{ scope: 'global', limit: '1000 USD', per: 'lifetime' }],
    ...more,
  };
}
