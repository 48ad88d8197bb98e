// What stands around an answer: the ids and headers that SDKs and people look for, on refusals too, and the menu of models.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { type GatewayProcess, startGateway } from './gateway.ts';

let gateway: GatewayProcess;
const whole = {
  chat: {
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'the answer' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  },
  messages: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [{ type: 'text', text: 'the answer' }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 3, output_tokens: 2 },
  },
};
const busy = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
const tooMany = { error: { message: 'Slow down', type: 'requests', code: 'rate_limit_exceeded' } };
/** By model: what the provider answers, as JSON, with which status. */
const played: Readonly<Record<string, readonly [number, object]>> = {
  chat: [200, whole.chat],
  messages: [200, whole.messages],
  'busy-inside': [200, busy],
  'many-inside': [200, tooMany],
  'status-504': [504, { error: { message: 'Too late' } }],
  'status-413': [413, { error: { message: 'Too long', type: 'invalid_request_error' } }],
};

const provider = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { model } = JSON.parse(Buffer.concat(chunks).toString()) as { model: string };
    const [status, body] = played[model] ?? [404, {}];
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  });
});

before(async () => {
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  const price = { input: 1, output: 1 };
  gateway = await startGateway({
    config: {
      providers: {
        oa: { format: 'openai-chat', base_url: `${base}/v1`, api_key: 'of-the-test' },
        an: { format: 'anthropic-messages', base_url: base, api_key: 'of-the-test' },
      },
      models: { 'the-alias': { targets: ['oa/chat'] } },
      prices: { 'oa/*': price, 'an/*': price },
    },
  });
});

after(async () => {
  await gateway.close();
  provider.closeAllConnections();
  provider.close();
});

function ask(path: string, model: string, more: object = {}): Promise<Response> {
  return fetch(gateway.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json', 'x-should-retry': 'no' },
    body: JSON.stringify({ model, max_tokens: 9, messages: [{ role: 'user', content: 'x' }], ...more }),
  });
}

test('the SDKs find the id of a request where they look for it', async () => {
  const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: gateway.key });
  const chat = await openai.chat.completions.create({ model: 'oa/chat', messages: [{ role: 'user', content: 'x' }] });
  assert.match(chat._request_id ?? '', /^[0-9a-f-]{36}$/);
  const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: gateway.key });
  const message = await anthropic.messages.create({
    model: 'an/messages',
    max_tokens: 9,
    messages: [{ role: 'user', content: 'x' }],
  });
  assert.match(message._request_id ?? '', /^[0-9a-f-]{36}$/);
});

test('a failure says which provider and model were tried, and how often', async () => {
  const { headers } = await ask('/v1/chat/completions', 'oa/status-413');
  assert.equal(headers.get('x-tollgate-provider'), 'oa');
  assert.equal(headers.get('x-tollgate-model'), 'status-413');
  assert.equal(headers.get('x-tollgate-attempts'), '1');
  const refused = await ask('/v1/chat/completions', 'oa/chat', { messages: 'x', temperature: 1, model: 'nobody/x' });
  assert.equal(refused.headers.get('x-tollgate-attempts'), null);
  assert.equal(refused.headers.get('x-tollgate-provider'), null);
  assert.ok(refused.headers.get('x-tollgate-request-id'));
});

/** Path, model, whether a stream is asked for, and the status and code that the client reads. */
const failures: readonly [string, string, boolean, number, string, RegExp][] = [
  ['/v1/chat/completions', 'oa/status-504', false, 504, 'upstream_timeout', /Too late/],
  ['/v1/chat/completions', 'oa/status-413', false, 413, 'too_large', /Too long/],
  ['/v1/chat/completions', 'oa/many-inside', false, 429, 'rate_limit_exceeded', /Slow down/],
  ['/v1/chat/completions', 'oa/many-inside', true, 429, 'rate_limit_exceeded', /Slow down/],
  ['/v1/chat/completions', 'an/busy-inside', false, 529, 'upstream_error', /Overloaded/],
  ['/v1/chat/completions', 'an/busy-inside', true, 529, 'upstream_error', /Overloaded/],
  ['/v1/chat/completions', 'oa/chat', true, 502, 'upstream_error', /one piece/],
  ['/v1/chat/completions', 'an/messages', true, 502, 'upstream_error', /one piece/],
];

for (const [path, model, stream, status, code, message] of failures)
  test(`${model} ${stream ? 'as a stream ' : ''}fails with ${status} ${code}`, async () => {
    const response = await ask(path, model, { stream });
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    assert.deepEqual([response.status, error.code], [status, code]);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /the answer/);
  });

test('a path that is asked with another method says which it takes', async () => {
  const response = await fetch(`${gateway.url}/v1/chat/completions`);
  assert.deepEqual([response.status, response.headers.get('allow')], [405, 'POST']);
  const other = await fetch(`${gateway.url}/v1/models`, { method: 'DELETE' });
  assert.deepEqual([other.status, other.headers.get('allow')], [405, 'GET']);
});

test('each SDK lists the models, and finds one of them', async () => {
  const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: gateway.key, maxRetries: 0 });
  const ids: string[] = [];
  for await (const { id } of openai.models.list()) ids.push(id);
  assert.deepEqual(ids, ['the-alias']);
  assert.equal((await openai.models.retrieve('the-alias')).id, 'the-alias');
  await assert.rejects(openai.models.retrieve('nobody'), OpenAI.NotFoundError);

  const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: gateway.key, maxRetries: 0 });
  assert.deepEqual(
    (await anthropic.models.list()).data.map(({ id }) => id),
    ['the-alias'],
  );
  assert.equal((await anthropic.models.retrieve('the-alias')).type, 'model');

  for (const apiVersion of ['v1', 'v1beta', 'v1alpha', undefined]) {
    const google = new GoogleGenAI({
      apiKey: gateway.key,
      httpOptions: { baseUrl: gateway.url, ...(apiVersion && { apiVersion }) },
    });
    const names: (string | undefined)[] = [];
    for await (const { name } of await google.models.list()) names.push(name);
    assert.deepEqual(names, ['models/the-alias']);
    assert.equal((await google.models.get({ model: 'the-alias' })).name, 'models/the-alias');
  }
});
