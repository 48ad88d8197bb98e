import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import type { Format } from '../../src/exchange/format.ts';
import { ask, errorIn, formats, providerOf, requestOf, startWorld, type World } from './kit.ts';

let world: World;

before(async () => {
  world = await startWorld();
});
after(() => world.close());

interface Case {
  readonly name: string;
  readonly status: number;
  readonly says: RegExp;
  readonly body?: (whole: string, format: Format) => string | Uint8Array<ArrayBuffer>;
  readonly model?: string;
  readonly headers?: Record<string, string>;
}

const latin = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, 'latin1'));
/** A key that the gateway owns in this format's body. */
const owned = (format: Format): string => (format === 'gemini-generate' ? 'generationConfig' : 'model');
const plainValue = (format: Format): string => (format === 'gemini-generate' ? '{}' : '"chat/ok"');
const prefixed = (whole: string, member: string): string => whole.replace('{', `{${member},`);

const cases: readonly Case[] = [
  { name: 'malformed JSON', status: 400, says: /not valid JSON/, body: (whole) => whole.slice(0, -1) },
  { name: 'no JSON at all', status: 400, says: /not valid JSON/, body: () => 'hello' },
  { name: 'an array', status: 400, says: /JSON object/, body: (whole) => `[${whole}]` },
  { name: 'an empty body', status: 400, says: /empty/, body: () => '' },
  { name: 'nesting without end', status: 400, says: /nests deeper than 128/, body: () => '{"a":'.repeat(100_000) },
  {
    name: 'an owned key twice',
    status: 400,
    says: /more than once/,
    body: (whole, format) => {
      const member = `"${owned(format)}":${plainValue(format)}`;
      return prefixed(prefixed(whole, member), member);
    },
  },
  {
    name: 'an owned key in escapes',
    status: 400,
    says: /without escapes/,
    body: (whole, format) => {
      const key = owned(format);
      return prefixed(
        whole,
        `"\\u${key.charCodeAt(0).toString(16).padStart(4, '0')}${key.slice(1)}":${plainValue(format)}`,
      );
    },
  },
  {
    name: 'a wrong type',
    status: 400,
    says: /must be|wants|expected/i,
    body: (whole, format) =>
      format === 'gemini-generate'
        ? prefixed(whole, '"generationConfig":"warm"')
        : whole.replace(/"model":"[^"]*"/, '"model":7'),
  },
  { name: 'invalid UTF-8', status: 400, says: /UTF-8/, body: (whole) => latin(whole.replace('hello', 'h\xe9llo')) },
  { name: 'a model nobody owns', status: 404, says: /./, model: 'nobody-has-this' },
  { name: 'a provider that is not there', status: 404, says: /./, model: 'nowhere/ok' },
  { name: 'an unknown X-LLM-Provider', status: 404, says: /./, model: 'ok', headers: { 'x-llm-provider': 'nowhere' } },
  { name: 'a compressed body', status: 400, says: /content-encoding/, headers: { 'content-encoding': 'gzip' } },
  {
    name: 'a timeout that is none',
    status: 400,
    says: /X-Tollgate-Timeout/,
    headers: { 'x-tollgate-timeout': 'soon' },
  },
  {
    name: 'a declared body over the bound',
    status: 413,
    says: /larger than 10 MB/,
    body: () => 'x'.repeat(10_500_000),
  },
];

for (const format of formats)
  for (const each of cases)
    test(`${format}: ${each.name} is refused, written down, and reaches no provider`, async () => {
      const { path, body } = requestOf(format, each.model ?? `${providerOf[format]}/ok`, false);
      const before = world.upstream.calls.length;
      const sent = { path, body: each.body ? each.body(body, format) : body };
      const response = await ask(world, sent, each.headers ? { headers: each.headers } : {});
      const text = await response.text();
      assert.equal(response.status, each.status, text);
      const id = response.headers.get('x-tollgate-request-id');
      assert.match(errorIn(format, text, id), each.says);
      const receipt = await world.receipt(id);
      assert.deepEqual([receipt?.ending, receipt?.status, receipt?.cost_nano_usd], ['refused', each.status, 0]);
      assert.equal(world.upstream.calls.length, before);
    });

for (const format of formats) {
  test(`${format}: a wrong method and a wrong key are refused in the format, without a receipt`, async () => {
    const { path, body } = requestOf(format, `${providerOf[format]}/ok`, false);
    const wrong = await fetch(world.gateway.url + path, { method: 'PUT', body });
    assert.equal(wrong.status, 405);
    errorIn(format, await wrong.text(), wrong.headers.get('x-tollgate-request-id'));
    const nobody = await ask(world, { path, body }, { headers: { authorization: 'Bearer sk-tg-nobody' } });
    assert.equal(nobody.status, 401);
    const id = nobody.headers.get('x-tollgate-request-id');
    errorIn(format, await nobody.text(), id);
    assert.equal(await world.receipt(id), undefined);
  });

  test(`${format}: a chunked body over the bound is refused while it comes`, async () => {
    const { path } = requestOf(format, `${providerOf[format]}/ok`, false);
    const socket = await raw(`POST ${path} HTTP/1.1\r\n${head()}transfer-encoding: chunked\r\n\r\n`);
    const block = `100000\r\n${'x'.repeat(0x100000)}\r\n`;
    const answer = answerOf(socket);
    for (let sent = 0; sent < 11; sent++) socket.write(block);
    const text = await answer;
    socket.destroy();
    assert.match(text, /^HTTP\/1\.1 413 /);
    assert.match(text, /larger than 10 MB/);
  });

  test(`${format}: half a body and a closed socket end as cancelled`, async () => {
    const { path, body } = requestOf(format, `${providerOf[format]}/ok`, false);
    const socket = await raw(
      `POST ${path} HTTP/1.1\r\n${head()}content-length: ${body.length}\r\n\r\n${body.slice(0, 20)}`,
    );
    const before = (await cancelled()).length;
    socket.destroy();
    while ((await cancelled()).length === before);
    assert.equal((await cancelled())[0]?.code, 'client_closed');
  });

  test(`${format}: two ways to say a length are one request too many`, async () => {
    const { path, body } = requestOf(format, `${providerOf[format]}/ok`, false);
    const inner = `POST ${path} HTTP/1.1\r\n${head()}content-length: ${body.length}\r\n\r\n${body}`;
    for (const lengths of [
      'content-length: 5\r\ntransfer-encoding: chunked\r\n',
      'content-length: 5\r\ncontent-length: 6\r\n',
      'transfer-encoding: chunked, identity\r\ncontent-length: 5\r\n',
      'transfer-encoding : chunked\r\ncontent-length: 5\r\n',
    ]) {
      const before = world.upstream.calls.length;
      const socket = await raw(`POST ${path} HTTP/1.1\r\n${head()}${lengths}\r\n0\r\n\r\n${inner}`);
      const text = await answerOf(socket, true);
      assert.match(text, /^HTTP\/1\.1 400 /, lengths);
      assert.equal(text.match(/HTTP\/1\.1/g)?.length, 1, text);
      assert.equal(world.upstream.calls.length, before);
    }
  });
}

test('after all of it the gateway answers, and its budget is whole', async () => {
  for (const format of formats) {
    const response = await ask(world, requestOf(format, `${providerOf[format]}/ok`, false));
    assert.equal(response.status, 200, await response.text());
  }
  assert.equal(world.upstream.calls.length, formats.length);
  await world.conserved();
});

async function cancelled(): Promise<{ id: string; code: string }[]> {
  return (await world.admin<{ data: { id: string; code: string }[] }>('/admin/requests?ending=cancelled')).data;
}

function head(): string {
  return `host: localhost\r\nauthorization: Bearer ${world.gateway.key}\r\ncontent-type: application/json\r\n`;
}

async function raw(text: string): Promise<ReturnType<typeof connect>> {
  const { port, hostname } = new URL(world.gateway.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

/** What comes back: all until the gateway closes, or the first answer that is whole. */
function answerOf(socket: ReturnType<typeof connect>, toTheEnd = false): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const length = /content-length: (\d+)/i.exec(text)?.[1];
      const from = text.indexOf('\r\n\r\n') + 4;
      if (!toTheEnd && from > 3 && length && text.length - from >= Number(length)) resolve(text);
    });
    socket.on('close', () => resolve(text));
  });
}
