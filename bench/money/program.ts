// The program that spends: one chat request at a time, whole or streamed, and how it went as the program sees it.

import { Agent, request } from 'node:http';

export interface Ask {
  readonly url: string;
  readonly key: string;
  readonly model: string;
  readonly stream: boolean;
  readonly maxTokens?: number;
  readonly prompt?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Told {
  readonly status: number;
  /** `whole`: all of it came; `cut`: an error inside a stream; `refused`: an error instead of an answer; `torn`: neither. */
  readonly end: 'whole' | 'cut' | 'refused' | 'torn';
  /** The code of the error, where there was one. */
  readonly code: string;
  /** Words that came. */
  readonly tokens: number;
  /** Epoch ms. */
  readonly endedAt: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

export function tell(ask: Ask): Promise<Told> {
  const { url, key, model, stream, maxTokens, prompt = 'Say something about the weather in the north.', headers } = ask;
  const body = JSON.stringify({
    model,
    stream,
    messages: [{ role: 'user', content: prompt }],
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
  });
  return new Promise((resolve) => {
    const done = (status: number, text: string): void => resolve(read(status, text, stream));
    const asking = request(
      new URL('/v1/chat/completions', url),
      {
        method: 'POST',
        agent,
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => done(response.statusCode ?? 0, text));
        response.on('error', () => done(0, text));
      },
    );
    asking.on('error', () => done(0, ''));
    asking.end(body);
  });
}

function read(status: number, text: string, stream: boolean): Told {
  const endedAt = Date.now();
  const code = /"code":\s*"(\w+)"/.exec(text)?.[1] ?? '';
  const tokens = text.match(/(?<=content":")[^"]*/g)?.reduce((sum, piece) => sum + words(piece), 0) ?? 0;
  if (status === 200 && stream) {
    const end = text.includes('"error"') ? 'cut' : text.includes('data: [DONE]') ? 'whole' : 'torn';
    return { status, end, code, tokens, endedAt };
  }
  return { status, end: status === 200 ? 'whole' : status === 0 ? 'torn' : 'refused', code, tokens, endedAt };
}

function words(piece: string): number {
  return piece.match(/ \w+/g)?.length ?? 0;
}
