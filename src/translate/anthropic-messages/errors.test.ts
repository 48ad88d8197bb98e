// Error shapes in both directions; the official SDK has to raise what we send.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import Anthropic, { APIError } from '@anthropic-ai/sdk';
import { contextOf } from '../../../test/messages-kit.ts';
import { Refusal } from '../../exchange/refusal.ts';
import { anthropicMessages as codec } from './codec.ts';

const context = contextOf();
const own = (type: string, message: string) =>
  JSON.stringify({ type: 'error', error: { type, message }, request_id: 'r' });

const shapes: readonly (readonly [string, number, string, string, RegExp])[] = [
  ['overloaded', 529, own('overloaded_error', 'Overloaded'), 'overloaded', /^Overloaded$/],
  ['rate limit', 429, own('rate_limit_error', 'Too many input tokens'), 'rate-limit', /Too many/],
  ['wrong key', 401, own('authentication_error', 'invalid x-api-key'), 'authentication', /x-api-key/],
  ['no credit', 400, own('invalid_request_error', 'Your credit balance is too low to access'), 'quota', /credit/],
  [
    'monthly limit',
    400,
    own(
      'invalid_request_error',
      'You have reached your specified API usage limits. You will regain access on 2026-01-01',
    ),
    'quota',
    /regain/,
  ],
  [
    'too long',
    400,
    own('invalid_request_error', 'prompt is too long: 212340 tokens > 200000 maximum'),
    'context-too-long',
    /212340/,
  ],
  ['too large', 413, own('request_too_large', 'Request exceeds the maximum size'), 'too-large', /maximum size/],
  ['no such model', 404, own('not_found_error', 'model: x'), 'not-found', /model: x/],
  [
    'Vertex',
    429,
    '[{"error":{"code":429,"message":"Resource exhausted","status":"RESOURCE_EXHAUSTED"}}]',
    'rate-limit',
    /^Resource exhausted$/,
  ],
  ['Bedrock', 400, '{"message":"Malformed input request"}', 'invalid-request', /^Malformed/],
  [
    'Azure',
    401,
    '{"error":{"code":"401","message":"Access denied due to invalid subscription key"}}',
    'authentication',
    /^Access denied/,
  ],
  ['a proxy', 422, '{"detail":"bad field"}', 'invalid-request', /^bad field$/],
  ['an error that is a string', 500, '{"error":"boom"}', 'server', /^boom$/],
  ['HTML', 502, '<html>secret page</html>', 'server', /^The provider answered 502 with something other than JSON\.$/],
  ['nothing', 503, '', 'overloaded', /empty body/],
];

for (const [name, status, body, kind, message] of shapes) {
  test(`a provider's error: ${name}`, () => {
    const failure = codec.decodeError(status, Buffer.from(body), { 'retry-after': '17' });
    assert.equal(failure.status, status);
    assert.equal(failure.kind, kind);
    assert.match(failure.message, message);
    assert.equal(failure.retryAfter, 17);
  });
}

test('an error event has the status that its type stands for', () => {
  const data = '{"type":"error","error":{"details":null,"type":"overloaded_error","message":"Overloaded"}}';
  const decoder = codec.streamDecoder();
  const lane = codec.passStream(context);
  const frame = { bytes: Buffer.from(`event: error\ndata: ${data}\n\n`), event: 'error', data } as never;
  const expected = { status: 529, kind: 'overloaded', message: 'Overloaded', type: 'overloaded_error' };
  assert.deepEqual(decoder.push(frame), [{ type: 'error', failure: expected }]);
  const glimpse = lane.push(frame);
  assert.deepEqual(glimpse.failure, expected);
  assert.equal(glimpse.out, undefined);
});

const refusal = new Refusal('budget_exceeded', 'key:abc has spent its 0.01 USD.', { facts: { scope: 'key:abc' } });

test('the SDK raises a refusal with its type, code and request id, and does not try again', async () => {
  let calls = 0;
  const server = createServer((_request, reply) => {
    calls++;
    const { status, headers, body } = codec.encodeError(refusal, context);
    reply.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const client = new Anthropic({ apiKey: 'k', baseURL: `http://127.0.0.1:${port}` });
    const ask = client.messages.create({ model: 'm', max_tokens: 1, messages: [{ role: 'user', content: 'x' }] });
    await assert.rejects(ask, (error) => {
      assert.ok(error instanceof APIError);
      assert.deepEqual([error.status, error.type, error.requestID], [402, 'billing_error', 'tg_1']);
      assert.match(error.message, /budget_exceeded/);
      assert.match(error.message, /"scope":"key:abc"/);
      return true;
    });
    assert.equal(calls, 1);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test('the SDK raises a refusal inside a stream', async () => {
  const head = `event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}\n\n`;
  const lane = codec.passStream(context);
  const server = createServer((_request, reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.end(head + (lane.heartbeat() ?? '') + lane.fail(refusal));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const client = new Anthropic({ apiKey: 'k', baseURL: `http://127.0.0.1:${port}` });
    const stream = client.messages.stream({ model: 'm', max_tokens: 1, messages: [{ role: 'user', content: 'x' }] });
    await assert.rejects(stream.finalMessage(), (error) => {
      assert.ok(error instanceof APIError);
      assert.equal(error.type, 'billing_error');
      return true;
    });
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
