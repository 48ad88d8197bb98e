// A provider over real sockets for tests, in three wire formats. What it does stands in the model's name (see `play`);
// it counts what it generated and notices who hangs up.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Format } from '../src/exchange/format.ts';
import { answers, billedError, errorEvent, errors, type Said, scripts } from './upstream-formats.ts';

export interface UpstreamCall {
  readonly format: Format;
  readonly model: string;
  readonly stream: boolean;
  readonly body: string;
  /** Words that went out, one token each. */
  words: number;
  /** The gateway closed the connection before the answer was whole. */
  aborted: boolean;
}

export interface Upstream {
  /** The `providers` section that reaches it: `chat`, `messages`, `gemini`. */
  readonly providers: Record<string, unknown>;
  readonly calls: UpstreamCall[];
  /** Streams that the names `end-NAME-N` and `cut-NAME-N` play. */
  readonly bodies: Map<string, Buffer>;
  /** Resolves once the gateway has hung up on this many calls. */
  aborts(count: number): Promise<void>;
  close(): Promise<void>;
}

export const inputTokens = 11;
export const okWords = ['Hel', 'lo, ', 'wor', 'ld.'];
const plainWords = [' the', ' of', ' and', ' to', ' in', ' that', ' they', ' from'];
const html = '<!doctype html><html><body><h1>It works!</h1></body></html>';

const timeouts = { connect: '2s', first_byte: '1s', idle: '1s', total: '20s' };

export async function startUpstream(): Promise<Upstream> {
  const calls: UpstreamCall[] = [];
  const bodies = new Map<string, Buffer>();
  const waiting: { count: number; resolve: () => void }[] = [];
  const hungUp = (call: UpstreamCall): void => {
    call.aborted = true;
    const aborted = calls.filter((each) => each.aborted).length;
    for (const each of waiting) if (aborted >= each.count) each.resolve();
  };
  const server = createServer((request, response) => {
    void read(request).then((body) => {
      const call = callOf(request, body);
      calls.push(call);
      let ours = false;
      response.on('close', () => {
        if (!response.writableFinished && !ours) hungUp(call);
      });
      play(call, response, bodies, () => {
        ours = true;
        response.destroy();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    providers: {
      chat: { format: 'openai-chat', base_url: `${base}/v1`, timeouts, api_key: 'of-the-script' },
      messages: { format: 'anthropic-messages', base_url: `${base}/v1`, timeouts, api_key: 'of-the-script' },
      gemini: { format: 'gemini-generate', base_url: `${base}/v1beta`, timeouts, api_key: 'of-the-script' },
    },
    calls,
    bodies,
    aborts: (count) =>
      new Promise((resolve) => {
        if (calls.filter((each) => each.aborted).length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function callOf({ url = '' }: IncomingMessage, body: string): UpstreamCall {
  const asked = JSON.parse(body) as { model?: string; stream?: boolean };
  const named = /\/models\/([^:]+):(\w+)/.exec(url);
  const format = named ? 'gemini-generate' : url.includes('/messages') ? 'anthropic-messages' : 'openai-chat';
  return {
    format,
    model: decodeURIComponent(named?.[1] ?? asked.model ?? ''),
    stream: named ? named[2] === 'streamGenerateContent' : asked.stream === true,
    body,
    words: 0,
    aborted: false,
  };
}

/** The output limit of a request; `says-N` is a model that keeps none. */
function limitIn(body: string): number {
  const [, limit] = /"(?:max_tokens|max_completion_tokens|maxOutputTokens)":(\d+)/.exec(body) ?? [];
  return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
}

/** The stream of a script without any fault. */
export function wholeStream(format: Format, model: string, words: readonly string[] = okWords): Buffer {
  const script = scripts[format]({ model, words, inputTokens });
  return Buffer.from([...script.before, ...script.words, ...script.after].join(''));
}

function play(call: UpstreamCall, response: ServerResponse, bodies: Upstream['bodies'], destroy: () => void): void {
  const { format, model } = call;
  const [, verb = '', name, count] = /^(end|cut|status|html)(?:-([a-z]+))?-(\d+)$/.exec(model) ?? [];
  if (verb === 'html') return void response.writeHead(Number(count), { 'content-type': 'text/html' }).end(html);
  if (verb === 'status') {
    response.writeHead(Number(count), { 'content-type': 'application/json' });
    return void response.end(JSON.stringify(errors[format](Number(count), 'as the script says')));
  }
  if (model === 'quota') {
    const error = {
      message: 'You exceeded your current quota.',
      type: 'insufficient_quota',
      code: 'insufficient_quota',
    };
    return void response.writeHead(429, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
  }
  if (model === 'never') return;
  if (model === 'close-early') return void destroy();
  const [, way, many, thought] = /^(says|keeps)-(\d+)(?:-thinks-(\d+))?$/.exec(model) ?? [];
  const length = Math.min(Number(many), way === 'keeps' ? limitIn(call.body) : Number.POSITIVE_INFINITY);
  // What keeps a limit is counted against it: each is one token of the usual vocabularies.
  const word = (index: number): string => (way === 'keeps' ? (plainWords[index % 8] ?? '') : ` word${index % 10}`);
  const words = many === undefined ? okWords : Array.from({ length }, (_, index) => word(index));
  const said: Said = { model, words, inputTokens, ...(thought ? { reasoningTokens: Number(thought) } : {}) };
  if (/^billed-/.test(model)) return void playBilled(call, said, response);
  if (verb === '' && !call.stream) {
    call.words = said.words.length;
    const text = JSON.stringify(answers[format](said));
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    if (model === 'half-answer') return void response.write(text.slice(0, 40), destroy);
    return void response.end(text);
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  if (verb === 'end' || verb === 'cut') {
    const whole = (name === undefined ? undefined : bodies.get(name)) ?? wholeStream(format, model);
    response.flushHeaders();
    const bytes = whole.subarray(0, Number(count));
    if (verb === 'end') return void response.end(bytes);
    return void (bytes.length === 0 ? destroy() : response.write(bytes, destroy));
  }
  playStream(call, scripts[format](said), response, destroy);
}

/** Errors with a bill: in a whole answer of status 200 or 500, in a stream, or a bill that nobody could have made. */
function playBilled(call: UpstreamCall, said: Said, response: ServerResponse): void {
  const { format, model, stream } = call;
  const bill = model === 'billed-absurdly' ? { ...said, inputTokens: 1e12 } : said;
  const error = billedError(format, 'overloaded, as the script says', bill);
  call.words = said.words.length;
  if (model === 'billed-whole' || !stream || model === 'billed-500') {
    const body = model === 'billed-whole' ? answers[format](said) : error;
    response.writeHead(model === 'billed-500' ? 500 : 200, { 'content-type': 'application/json' });
    return void response.end(JSON.stringify(body));
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(scripts[format](said).before.join('') + errorEvent(format, '', error));
}

function playStream(
  call: UpstreamCall,
  { before, words, after }: ReturnType<(typeof scripts)[Format]>,
  response: ServerResponse,
  destroy: () => void,
): void {
  const say = (some: readonly string[]): string => {
    call.words += some.length;
    return some.join('');
  };
  const head = before.join('');
  switch (call.model) {
    case 'silent-preamble':
      // Opens, and then nothing: a Gemini stream has no opening of its own, so that headers alone must do.
      if (head === '') response.flushHeaders();
      else response.write(head);
      return;
    case 'gpt-endless':
      response.write(head);
      talk(call, words, response);
      return;
    case 'no-usage':
      // Ends as it should and never says what it counted.
      response.end(head + say(words) + after.filter((event) => !event.includes('"usage')).join(''));
      return;
    case 'slow':
      response.write(head + say(words.slice(0, 2)));
      return;
    case 'half-event':
      response.end(head + say(words.slice(0, 1)) + (words[1] ?? '').slice(0, 20));
      return;
    case 'error-first':
      response.end(head + errorEvent(call.format, 'overloaded, as the script says'));
      return;
    case 'error-late':
      response.end(head + say(words.slice(0, 2)) + errorEvent(call.format, 'overloaded, as the script says'));
      return;
    case 'close-late':
      response.write(head + say(words.slice(0, 2)), destroy);
      return;
    default:
      response.end(head + say(words) + after.join(''));
  }
}

/** Words without end, three at a time, two thousand a second or so, until the gateway hangs up. */
function talk(call: UpstreamCall, words: readonly string[], response: ServerResponse): void {
  const some = Array.from({ length: 3 }, (_, index) => words[index % words.length] ?? '').join('');
  const turn = (): void => {
    if (response.destroyed) return;
    call.words += 3;
    if (response.write(some)) setTimeout(turn, 1);
    else response.once('drain', turn);
  };
  turn();
}
