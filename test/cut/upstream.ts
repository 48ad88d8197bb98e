// Providers that talk until somebody hangs up, a token at a time, in three formats; they count what they generated.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Format } from '../../src/exchange/format.ts';

/** What the answer is made of; `pair`: two choices in turn; `mute`: nothing after its headers; `late`: one whole answer. */
export type Shape = 'words' | 'tool' | 'think' | 'pair' | 'mute' | 'late';

export interface Deed {
  readonly format: Format;
  readonly model: string;
  /** Output tokens that were made, sent or not. */
  tokens: number;
  readonly begunAt: number;
  /** Monotonic ms at which the gateway hung up; 0 where it did not. */
  hungUpAt: number;
  /** It came to its own end. */
  ended: boolean;
}

export interface Endless {
  readonly url: string;
  readonly deeds: Deed[];
  /** Connections that are open now. */
  open(): number;
  /** Lets what is `late` or `mute` go on to its end. */
  release(): void;
  /** The deed of a model, once it has made so many tokens. */
  reached(model: string, tokens: number): Promise<Deed>;
  close(): Promise<void>;
}

export const inputTokens = 10;
/** An answer that is heard out has so many tokens. */
export const wholeTokens = 900;
const perTick = 4;
const tickMs = 2;

const event = (name: string, data: object): string =>
  `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`;
const line = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;

interface Voice {
  head(shape: Shape): string;
  token(shape: Shape, count: number): string;
  tail(shape: Shape, count: number): string;
  whole(count: number): object;
}

const chunk = (choices: readonly object[], more: object = {}): string =>
  line({ id: 'c-1', object: 'chat.completion.chunk', created: 7, model: 'm', choices, ...more });
const said = (index: number, delta: object, finish_reason: string | null = null): object => ({
  index,
  delta,
  finish_reason,
});
const openaiUsage = (count: number) => ({
  prompt_tokens: inputTokens,
  completion_tokens: count,
  total_tokens: inputTokens + count,
});
const call = { index: 0, id: 'call_1', type: 'function', function: { name: 'write', arguments: '{"text":"' } };
const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  stop_reason: null,
  stop_sequence: null,
};
const blocks: Readonly<Record<string, object>> = {
  tool: { type: 'tool_use', id: 'toolu_1', name: 'write', input: {} },
  think: { type: 'thinking', thinking: '', signature: '' },
};
const deltas: Readonly<Record<string, object>> = {
  tool: { type: 'input_json_delta', partial_json: 'word ' },
  think: { type: 'thinking_delta', thinking: 'word ' },
};
const geminiUsage = (count: number) => ({
  promptTokenCount: inputTokens,
  candidatesTokenCount: count,
  totalTokenCount: inputTokens + count,
});
const candidate = (parts: readonly object[], more: object = {}): object => ({
  candidates: [{ content: { role: 'model', parts }, index: 0, ...more }],
  modelVersion: 'm',
  responseId: 'r-1',
});

const voices: Readonly<Record<Format, Voice>> = {
  'openai-chat': {
    head: (shape) => {
      if (shape === 'tool') return chunk([said(0, { role: 'assistant', tool_calls: [call] })]);
      const opening = chunk([said(0, { role: 'assistant', content: '' })]);
      return shape === 'pair' ? opening + chunk([said(1, { role: 'assistant', content: '' })]) : opening;
    },
    token: (shape, count) => {
      if (shape === 'tool') return chunk([said(0, { tool_calls: [{ index: 0, function: { arguments: 'word ' } }] })]);
      if (shape === 'think') return chunk([said(0, { reasoning_content: 'word ' })]);
      return chunk([said(shape === 'pair' ? count % 2 : 0, { content: 'word ' })]);
    },
    tail: (shape, count) =>
      (shape === 'pair' ? chunk([said(1, {}, 'stop')]) : '') +
      chunk([said(0, {}, 'stop')]) +
      chunk([], { usage: openaiUsage(count) }) +
      'data: [DONE]\n\n',
    whole: (count) => ({
      id: 'c-1',
      object: 'chat.completion',
      created: 7,
      model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content: 'word '.repeat(count) }, finish_reason: 'stop' }],
      usage: openaiUsage(count),
    }),
  },
  'anthropic-messages': {
    head: (shape) =>
      event('message_start', {
        message: { ...message, content: [], usage: { input_tokens: inputTokens, output_tokens: 1 } },
      }) + event('content_block_start', { index: 0, content_block: blocks[shape] ?? { type: 'text', text: '' } }),
    token: (shape) =>
      event('content_block_delta', { index: 0, delta: deltas[shape] ?? { type: 'text_delta', text: 'word ' } }),
    tail: (_, count) =>
      event('content_block_stop', { index: 0 }) +
      event('message_delta', {
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { output_tokens: count },
      }) +
      event('message_stop', {}),
    whole: (count) => ({
      ...message,
      stop_reason: 'end_turn',
      content: [{ type: 'text', text: 'word '.repeat(count) }],
      usage: { input_tokens: inputTokens, output_tokens: count },
    }),
  },
  'gemini-generate': {
    head: (shape) =>
      shape === 'tool' ? line(candidate([{ functionCall: { name: 'write', willContinue: true } }])) : '',
    token: (shape) => {
      const piece = { jsonPath: '$.text', stringValue: 'word ', willContinue: true };
      if (shape === 'tool') return line(candidate([{ functionCall: { partialArgs: [piece], willContinue: true } }]));
      return line(candidate([{ text: 'word ', ...(shape === 'think' ? { thought: true } : {}) }]));
    },
    tail: (_, count) =>
      line({ ...candidate([{ text: '' }], { finishReason: 'STOP' }), usageMetadata: geminiUsage(count) }),
    whole: (count) => ({
      ...candidate([{ text: 'word '.repeat(count) }], { finishReason: 'STOP' }),
      usageMetadata: geminiUsage(count),
    }),
  },
};

export async function startEndless(): Promise<Endless> {
  const deeds: Deed[] = [];
  const waiting = new Set<() => void>();
  const looking = new Set<() => void>();
  let released = false;
  let open = 0;

  function play(deed: Deed, shape: Shape, stream: boolean, response: ServerResponse): void {
    const voice = voices[deed.format];
    const end = (): void => {
      deed.ended = true;
      if (stream) response.end(voice.tail(shape, deed.tokens));
      else
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(voice.whole(deed.tokens)));
    };
    response.on('close', () => {
      if (!response.writableFinished) deed.hungUpAt = performance.now();
      for (const look of looking) look();
    });
    if (!stream || shape === 'late' || shape === 'mute') {
      if (stream) response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      // An answer that nobody sees yet is made all the same.
      deed.tokens = wholeTokens;
      const go = (): void => {
        if (stream) response.write(voice.head('words') + voice.token('words', 0).repeat(wholeTokens));
        end();
      };
      if (released) go();
      else waiting.add(go);
      for (const look of looking) look();
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(voice.head(shape));
    const timer = setInterval(() => {
      if (deed.hungUpAt > 0 || deed.ended) return clearInterval(timer);
      let text = '';
      for (let made = 0; made < perTick && deed.tokens < wholeTokens; made++) text += voice.token(shape, deed.tokens++);
      if (text !== '') response.write(text);
      else end();
      for (const look of looking) look();
    }, tickMs);
  }

  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const named = /\/models\/([^:]+):(\w+)/.exec(request.url ?? '');
      const asked = JSON.parse(body) as { model?: string; stream?: boolean };
      const model = decodeURIComponent(named?.[1] ?? asked.model ?? '');
      const format = named
        ? 'gemini-generate'
        : request.url?.includes('/messages')
          ? 'anthropic-messages'
          : 'openai-chat';
      const stream = named ? named[2] === 'streamGenerateContent' : asked.stream === true;
      const deed: Deed = { format, model, tokens: 0, begunAt: performance.now(), hungUpAt: 0, ended: false };
      deeds.push(deed);
      play(deed, model.split('-')[0] as Shape, stream, response);
    });
  });
  server.on('connection', (socket) => {
    open++;
    socket.on('close', () => open--);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    deeds,
    open: () => open,
    release() {
      released = true;
      for (const go of waiting) go();
      waiting.clear();
    },
    reached: (model, tokens) =>
      new Promise((resolve) => {
        const look = (): void => {
          const deed = deeds.find((each) => each.model === model && each.tokens >= tokens);
          if (!deed) return;
          looking.delete(look);
          resolve(deed);
        };
        looking.add(look);
        look();
      }),
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
