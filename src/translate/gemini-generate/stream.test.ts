// The lane between two Gemini speakers, the framings, and the errors Google's own client raises.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { ApiError, GoogleGenAI } from '@google/genai';
import { answerContext } from '../../../test/answer-context.ts';
import type { AnswerContext, RequestBody } from '../../exchange/codec.ts';
import { Frame } from '../../exchange/frame.ts';
import { members } from '../../exchange/json-span.ts';
import { Refusal } from '../../exchange/refusal.ts';
import type { Target } from '../../exchange/target.ts';
import { noUsage } from '../../exchange/usage.ts';
import { geminiGenerate as codec } from './codec.ts';
import { readSignature, writeSignature } from './signature.ts';

function context(over: Partial<AnswerContext> = {}): AnswerContext {
  return answerContext({ model: 'asked', price: (usage) => ({ cost: usage.output * 1e6, saved: 0 }), ...over });
}

const event = (value: unknown): Frame => new Frame(Buffer.from(`data: ${JSON.stringify(value)}\r\n\r\n`));
const chunk = (parts: unknown[], more: object = {}, usage?: object): object => ({
  candidates: [{ content: { role: 'model', parts }, index: 0, ...more }],
  ...(usage ? { usageMetadata: usage } : {}),
  modelVersion: 'gemini-2.5-flash',
});
const refusal = new Refusal('budget_exceeded', 'The budget is spent.', { retryAfter: 60, facts: { scope: 'key:a' } });

test('keys inside arguments and text are not taken for the answer’s own', () => {
  const lane = codec.passStream(context());
  const fake = {
    usageMetadata: { promptTokenCount: 999 },
    finishReason: 'STOP',
    error: { code: 500 },
    modelVersion: 'fake',
  };
  const first = lane.push(
    event({ candidates: [{ content: { parts: [{ functionCall: { name: 'f', args: fake } }] } }] }),
  );
  assert.equal(first.usage, undefined);
  assert.equal(first.finished, undefined);
  assert.equal(first.failure, undefined);
  assert.equal(first.model, undefined);
  assert.equal(first.untouched, true);
  const second = lane.push(event(chunk([{ text: '"finishReason":"STOP","usageMetadata":{"promptTokenCount":9}' }])));
  assert.equal(second.usage, undefined);
  assert.equal(second.model, 'gemini-2.5-flash');
  assert.equal(lane.end().complete, false);
});

test('counts and models inside arguments are the tool’s', () => {
  const seen = codec.passStream(context()).push(
    event({
      candidates: [
        {
          content: {
            parts: [
              { functionCall: { name: 'f', args: { usageMetadata: { promptTokenCount: 9 }, modelVersion: 'x' } } },
            ],
          },
        },
      ],
    }),
  );
  assert.equal(seen.usage, undefined);
  assert.equal(seen.model, undefined);
  assert.ok(seen.characters > 40);
});

test('the price stands in the frame that ends the answer, and nowhere else', () => {
  const lane = codec.passStream(context());
  const usage = { promptTokenCount: 10, candidatesTokenCount: 2, totalTokenCount: 12 };
  const early = lane.push(event(chunk([{ text: 'Grüße' }], {}, usage)));
  assert.equal(early.untouched, true);
  assert.equal(early.characters, 5);
  assert.deepEqual(early.usage, { ...noUsage(), input: 10, output: 2 });
  const last = lane.push(
    event(chunk([{ text: '.' }], { finishReason: 'STOP' }, { ...usage, candidatesTokenCount: 3 })),
  );
  const sent = JSON.parse(String(last.out).slice(6)) as { usageMetadata: object };
  assert.deepEqual(sent.usageMetadata, {
    cost: 0.003,
    saved: 0,
    promptTokenCount: 10,
    candidatesTokenCount: 3,
    totalTokenCount: 12,
  });
  assert.equal(last.finished, true);
  const end = lane.end();
  assert.equal(end.complete, true);
  assert.equal(end.ends, true);
});

test('a second candidate must end too', () => {
  const lane = codec.passStream(context());
  lane.push(event(chunk([{ text: 'a' }], { finishReason: 'STOP' })));
  lane.push(event(chunk([{ text: 'b' }], { index: 1 })));
  assert.equal(lane.end().complete, false);
  lane.push(event(chunk([], { index: 1, finishReason: 'MAX_TOKENS' })));
  assert.equal(lane.end().complete, true);
});

test('an error in the stream is a failure and is not forwarded', () => {
  for (const body of [
    { error: { code: 503, message: 'Overloaded', status: 'UNAVAILABLE' } },
    [{ error: { status: 'UNAVAILABLE' } }],
  ]) {
    const seen = codec.passStream(context()).push(event(body));
    assert.equal(seen.out, undefined);
    assert.equal(seen.failure?.status, 503);
    assert.equal(seen.failure?.kind, 'overloaded');
  }
  assert.equal(
    codec.passStream(context()).push(new Frame(Buffer.from('data: <html>\n\n'))).failure?.kind,
    'unreadable',
  );
});

test('one JSON array, whatever happens', () => {
  const array = { framing: 'json-array' } as const;
  const whole = codec.passStream(context(array));
  const first = chunk([{ text: 'a' }]);
  const last = chunk([{ text: 'b' }], { finishReason: 'STOP' });
  const text = [
    whole.heartbeat(),
    whole.push(event(first)).out,
    whole.heartbeat(),
    whole.push(event(last)).out,
    whole.end().out,
  ].join('');
  assert.deepEqual(JSON.parse(text), [first, last]);
  const failing = codec.passStream(context(array));
  const cut = JSON.parse(`${failing.push(event(first)).out}${failing.heartbeat()}${failing.fail(refusal)}`) as {
    error?: { code: number };
  }[];
  assert.deepEqual([cut.length, cut[1]?.error?.code], [2, 402]);
  assert.equal((JSON.parse(codec.passStream(context(array)).fail(refusal)) as unknown[]).length, 1);
  const encoder = codec.streamEncoder(context(array));
  const crossed = JSON.parse(
    encoder.push({ type: 'text-delta', choice: 0, text: 'x' }) + (encoder.fail?.(refusal) ?? ''),
  ) as unknown[];
  assert.equal(crossed.length, 2);
});

test('parts of another format become chunks: calls whole, usage with the finish, signatures tagged', () => {
  const encoder = codec.streamEncoder(context());
  const signature = { origin: 'anthropic-messages', value: 'AB==' } as const;
  const out = [
    encoder.push({ type: 'start', model: 'claude', id: 'm' }),
    encoder.push({ type: 'reasoning-delta', choice: 0, text: 'hm' }),
    encoder.push({ type: 'reasoning-signature', choice: 0, signature }),
    encoder.push({ type: 'tool-input-start', choice: 0, index: 0, id: 'a', name: 'f' }),
    encoder.push({ type: 'tool-input-delta', choice: 0, index: 0, text: '{"x"' }),
    encoder.push({ type: 'tool-input-start', choice: 0, index: 1, id: 'b', name: 'g' }),
    encoder.push({ type: 'tool-input-delta', choice: 0, index: 0, text: ':1}' }),
    encoder.push({ type: 'finish', choice: 0, reason: 'tool-calls', raw: 'tool_use' }),
    encoder.push({
      type: 'usage',
      usage: { ...noUsage(), input: 1, cacheRead: 2, cacheWrite5m: 3, output: 4, reasoning: 5 },
    }),
    encoder.push({ type: 'end' }),
    encoder.end(),
  ].join('');
  const chunks = out
    .split('\n\n')
    .slice(0, -1)
    .map((each) => JSON.parse(each.slice(6)) as Record<string, never>);
  assert.deepEqual(chunks.at(-1), {
    candidates: [
      {
        content: {
          role: 'model',
          parts: [
            { functionCall: { id: 'a', name: 'f', args: { x: 1 } } },
            { functionCall: { id: 'b', name: 'g', args: {} } },
          ],
        },
        finishReason: 'STOP',
        index: 0,
      },
    ],
    usageMetadata: {
      promptTokenCount: 6,
      cachedContentTokenCount: 2,
      candidatesTokenCount: 4,
      thoughtsTokenCount: 5,
      totalTokenCount: 15,
      cost: 0.004,
      saved: 0,
    },
    modelVersion: 'claude',
    responseId: 'm',
  });
  assert.match(out, /dGcxLmFudGhyb3BpYy1tZXNzYWdlcy5BQj09/);
  assert.equal(chunks.length, 3);
});

test('signatures of every origin come back as they were', () => {
  for (const origin of ['openai-chat', 'anthropic-messages', 'gemini-generate'] as const) {
    const signature = { origin, value: 'Zm9v.+/=' };
    assert.deepEqual(readSignature(writeSignature(signature)).signature, signature);
    if (origin === 'gemini-generate') continue;
    assert.deepEqual(readSignature(writeSignature(signature, true)), { signature, redacted: true });
    assert.match(writeSignature(signature), /^[A-Za-z0-9+/=]+$/);
  }
});

test('owned fields that two parsers could read differently are refused', () => {
  const surface = { kind: 'generate', format: 'gemini-generate', model: 'g' } as const;
  for (const body of [
    { generationConfig: {}, generation_config: {} },
    { generationConfig: { maxOutputTokens: 1, max_output_tokens: 9 } },
    { generationConfig: { maxOutputTokens: 'many' } },
    { generationConfig: { candidateCount: -1 } },
    { generationConfig: 5 },
  ]) {
    assert.throws(
      () => codec.outline(body, surface, 1),
      (error: Refusal) => error.refusal === 'invalid_request' && !!error.detail.param,
    );
  }
  const target = { model: 'g' } as unknown as Target;
  for (const config of ['{"maxOutputTokens":1,"maxOutputTokens":9}', '{"max\\u004futputTokens":9}']) {
    const raw = Buffer.from(`{"generationConfig":${config}}`);
    assert.throws(() => codec.splice(readOf(raw), { model: 'g' }, target), Refusal);
  }
  const raw = Buffer.from('{"model":"models/alias", "generation_config" : {"max_output_tokens": 9, "x":1.0}}');
  const edited = codec.splice(readOf(raw), { model: 'real', outputLimit: 5 }, target);
  assert.equal(edited.toString(), '{"model":"models/real", "generation_config" : {"max_output_tokens": 5, "x":1.0}}');
});

function readOf(raw: Buffer): RequestBody {
  return { raw, body: JSON.parse(raw.toString()) as Record<string, unknown>, members: members(raw) };
}

test('error bodies of every shape', () => {
  const read = (status: number, body: string, headers = {}) => codec.decodeError(status, Buffer.from(body), headers);
  const google = (status: number, error: object): string => JSON.stringify({ error: { code: status, ...error } });
  assert.equal(read(502, '<html>Bad</html>').kind, 'server');
  assert.equal(read(503, '').kind, 'overloaded');
  assert.equal(read(429, `[${google(429, { details: [{ retryDelay: '7s' }] })}]`).retryAfter, 7);
  const daily = [{ violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier' }] }];
  assert.equal(read(429, google(429, { details: daily })).kind, 'quota');
  const long = 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).';
  assert.equal(read(400, google(400, { status: 'INVALID_ARGUMENT', message: long })).kind, 'context-too-long');
  assert.equal(
    read(400, google(400, { message: 'API key not valid. Please pass a valid API key.' })).kind,
    'authentication',
  );
  assert.equal(
    read(400, google(400, { details: [{ fieldViolations: [{ field: 'contents[0].parts' }] }] })).param,
    'contents[0].parts',
  );
});

test('Google’s own client raises our errors, before and inside a stream, and lives through heartbeats', async () => {
  const server = createServer((request, response) => {
    request.resume();
    if (request.url?.includes('whole')) {
      const reply = codec.encodeError(refusal, context());
      response.writeHead(reply.status, reply.headers).end(reply.body);
      return;
    }
    const lane = codec.passStream(context());
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(lane.heartbeat());
    response.write(lane.push(event(chunk([{ text: 'half' }]))).out);
    response.write(lane.heartbeat());
    response.end(lane.fail(refusal));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const client = new GoogleGenAI({ apiKey: 'x', httpOptions: { baseUrl: `http://127.0.0.1:${port}` } });
  try {
    await assert.rejects(client.models.generateContent({ model: 'whole', contents: 'a' }), (error: ApiError) => {
      return (
        error instanceof ApiError &&
        error.status === 402 &&
        error.message.includes('request-1') &&
        error.message.includes('key:a')
      );
    });
    const texts: (string | undefined)[] = [];
    await assert.rejects(
      async () => {
        for await (const each of await client.models.generateContentStream({ model: 'stream', contents: 'a' }))
          texts.push(each.text);
      },
      (error: ApiError) =>
        error instanceof ApiError && error.status === 402 && error.message.includes('budget_exceeded'),
    );
    assert.deepEqual(texts, ['half']);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
