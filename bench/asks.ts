// The requests that a run sends, as they go over the wire.

import type { Subject, WireFormat } from './subjects.ts';

export interface Ask {
  /** What the client speaks. */
  readonly client: WireFormat;
  /** What the provider speaks; another format is a translation. */
  readonly provider: WireFormat;
  readonly stream?: { readonly chunks: number; readonly everyMs: number };
}

const providers: Readonly<Record<WireFormat, string>> = { 'openai-chat': 'bench', 'anthropic-messages': 'bencha' };
const paths: Readonly<Record<WireFormat, string>> = {
  'openai-chat': '/v1/chat/completions',
  'anthropic-messages': '/v1/messages',
};

const instructions =
  'You are the assistant of a software team. Answer in plain sentences, name the file you speak of, and say so when you do not know.';
const question =
  'Our nightly job copies the orders of the day into a table of their own and since last week it has taken four hours instead of one. ' +
  'Nothing was deployed in that week, but the number of orders went up by a third. Where would you look first, and what would you measure?';

/** A stream answers with as many chunks as its model's name says; a whole answer is instant. */
export function wireRequest(subject: Subject, ask: Ask): string {
  const name = ask.stream ? `m-${ask.stream.chunks}-${ask.stream.everyMs}` : 'm';
  const common = {
    model: `${providers[ask.provider]}/${name}`,
    max_tokens: 1024,
    ...(ask.stream ? { stream: true } : {}),
  };
  const user = { role: 'user', content: question };
  const body =
    ask.client === 'openai-chat'
      ? { ...common, messages: [{ role: 'system', content: instructions }, user], ...(ask.stream ? usageWanted : {}) }
      : { ...common, system: instructions, messages: [user] };
  const text = JSON.stringify(body);
  return (
    `POST ${paths[ask.client]} HTTP/1.1\r\nHost: 127.0.0.1:${subject.port}\r\nContent-Type: application/json\r\n` +
    `Accept: */*\r\nUser-Agent: tollgate-bench\r\n${credential(subject, ask.client)}Content-Length: ${text.length}\r\n\r\n${text}`
  );
}

const usageWanted = { stream_options: { include_usage: true } };

function credential(subject: Subject, client: WireFormat): string {
  const key = subject.key ?? 'none';
  return client === 'openai-chat'
    ? `Authorization: Bearer ${key}\r\n`
    : `X-Api-Key: ${key}\r\nAnthropic-Version: 2023-06-01\r\n`;
}
