// Hand-written cases: streams to parts, the fields the gateway owns, proofs there and back, errors as the SDK raises them.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import OpenAI, { APIError } from 'openai';
import { answerContext } from '../../../test/answer-context.ts';
import { framesOf } from '../../../test/sse-frames.ts';
import { targetOf } from '../../../test/target.ts';
import type { AnswerContext } from '../../exchange/codec.ts';
import type { Surface } from '../../exchange/format.ts';
import { members } from '../../exchange/json-span.ts';
import { Refusal } from '../../exchange/refusal.ts';
import { openaiChat } from './codec.ts';

const surface: Surface = { kind: 'generate', format: 'openai-chat' };
const fixtures = resolve(import.meta.dirname, '../../../fixtures/openai-chat');

function context(more: Partial<AnswerContext> = {}): AnswerContext {
  const price = () => ({ cost: 1_234_567, saved: 500 });
  return answerContext({ requestId: 'r1', model: 'm', created: 7, id: (prefix) => `${prefix}1`, price, ...more });
}

for (const name of readdirSync(fixtures)) {
  test(`fixture ${name}: the stream gives these parts`, () => {
    const decoder = openaiChat.streamDecoder();
    const parts = framesOf(readFileSync(resolve(fixtures, name, 'stream.sse'), 'utf8')).flatMap((frame) =>
      decoder.push(frame),
    );
    parts.push(...decoder.end());
    assert.deepEqual(parts, JSON.parse(readFileSync(resolve(fixtures, name, 'parts.json'), 'utf8')));
  });
}

test('passing: null usage is cut at the top level only, and words that look like keys are left alone', () => {
  const lane = openaiChat.passStream(context({ wantsUsage: false }));
  const send = (data: string): string => {
    const [frame] = framesOf(`data: ${data}\n\n`);
    return frame ? Buffer.from(lane.push(frame).out ?? '').toString('utf8') : '';
  };
  const delta = (text: string): string => `{"choices":[{"index":0,"delta":{"content":${JSON.stringify(text)}}}]`;
  send(`${delta('first')},"usage":null}`);
  const rows: [string, string][] = [
    [`${delta('é')},"usage":null}`, `${delta('é')}}`],
    [`${delta('a')},"usage": null , "obfuscation":"x}y"}`, `${delta('a')} , "obfuscation":"x}y"}`],
    [`{"usage":null,${delta('b').slice(1)}}`, `{${delta('b').slice(1)}}`],
    [`${delta('say ,"usage":null} now')}}`, `${delta('say ,"usage":null} now')}}`],
    [`${delta('c')},"x":{"usage":null}}`, `${delta('c')},"x":{"usage":null}}`],
    [`${delta('usage')},"y":"usage"}`, `${delta('usage')},"y":"usage"}`],
  ];
  for (const [sent, expected] of rows) assert.equal(send(sent), `data: ${expected}\n\n`);
  assert.equal(send('{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}'), '');
});

test('passing: cost and saving are put into the usage, every other byte stays', () => {
  const lane = openaiChat.passStream(context());
  const [frame] = framesOf('data: {"id":"é" , "choices":[ ],"usage":{"prompt_tokens":1 ,"completion_tokens":2}}\n\n');
  assert.ok(frame);
  const out = String(Buffer.from(lane.push(frame).out ?? ''));
  const usage = '{"cost":0.001234567,"saved":5e-7,"prompt_tokens":1 ,"completion_tokens":2}';
  assert.equal(out, `data: {"id":"é" , "choices":[ ],"usage":${usage}}\n\n`);
});

test('passing: a stream is complete with its terminator, or with finish and usage; [DONE] inside a text is neither', () => {
  const ends = (stream: string): boolean => {
    const lane = openaiChat.passStream(context());
    for (const frame of framesOf(stream)) lane.push(frame);
    return lane.end().complete;
  };
  const text = 'data: {"choices":[{"index":0,"delta":{"content":"data: [DONE]\\n\\n"}}]}\n\n';
  const finish = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n';
  const usage = 'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\n';
  assert.equal(ends(text), false);
  assert.equal(ends(text + finish), false);
  assert.equal(ends(text + usage), false);
  assert.equal(ends(`${text}data: [DONE]\n\n`), true);
  assert.equal(ends(text + finish + usage), true);
});

test('splicing: a provider’s spellings', () => {
  const body = {
    model: 'a',
    seed: 3,
    messages: [
      { role: 'user', content: '"developer"' },
      { role: 'developer', content: 'x' },
    ],
    max_completion_tokens: 9,
    stream: true,
  };
  const spliced = (quirks: string[], outputLimit?: number): Record<string, unknown> => {
    const edits = outputLimit === undefined ? { model: 'b' } : { model: 'b', outputLimit };
    const raw = Buffer.from(JSON.stringify(body));
    return JSON.parse(
      openaiChat.splice({ raw, body, members: members(raw) }, edits, targetOf('openai-chat', quirks)).toString(),
    );
  };
  const { seed, max_completion_tokens, ...rest } = body;
  const options = { model: 'b', stream_options: { include_usage: true } };
  assert.deepEqual(spliced([]), { ...body, ...options });
  assert.deepEqual(spliced([], 5), { ...body, ...options, max_completion_tokens: 5 });
  assert.deepEqual(spliced(['max-tokens', 'random-seed', 'no-stream-options', 'no-developer-role'], 5), {
    ...rest,
    model: 'b',
    random_seed: seed,
    max_tokens: 5,
    messages: [body.messages[0], { role: 'system', content: 'x' }],
  });
  assert.equal(spliced(['max-tokens']).max_tokens, max_completion_tokens);
});

test('a foreign proof is shown under its tag, and comes back as what it was', () => {
  const signature = { origin: 'anthropic-messages', value: 'SIG' } as const;
  const thought = { origin: 'gemini-generate', value: 'THOUGHT' } as const;
  const { body } = openaiChat.encodeAnswer(
    [
      { type: 'reasoning-delta', choice: 0, text: 'Hm.' },
      { type: 'reasoning-signature', choice: 0, signature },
      { type: 'tool-input-start', choice: 0, index: 0, id: 'a', name: 'f', signature: thought },
      { type: 'finish', choice: 0, reason: 'tool-calls' },
      { type: 'end' },
    ],
    context(),
  );
  const { message } = JSON.parse(body).choices[0];
  assert.equal(message.reasoning_details[0].signature, 'tg1.anthropic-messages.SIG');
  const { prompt } = openaiChat.decodeRequest({ model: 'm', messages: [message] }, surface);
  assert.deepEqual(prompt.turns[0]?.content, [
    { type: 'reasoning', text: 'Hm.', signature },
    { type: 'tool-call', id: 'a', name: 'f', input: '', signature: thought },
  ]);
  const { losses } = openaiChat.encodeRequest(prompt, targetOf('openai-chat'));
  assert.deepEqual(
    losses.map((loss) => loss.field),
    ['messages[0].content[0].signature', 'messages[0].content[0]', 'messages[0].content[1].signature'],
  );
});

test('a client that keeps a stream’s details piece by piece gets them back as blocks', () => {
  const encoder = openaiChat.streamEncoder(context());
  const signature = { origin: 'anthropic-messages', value: 'SIG' } as const;
  const frames = framesOf(
    encoder.push({ type: 'reasoning-delta', choice: 0, text: 'Let ' }) +
      encoder.push({ type: 'reasoning-delta', choice: 0, text: 'me' }) +
      encoder.push({ type: 'reasoning-signature', choice: 0, signature }) +
      encoder.push({ type: 'reasoning-signature', choice: 0, signature, redacted: true }),
  );
  const details = frames.flatMap((frame) => JSON.parse(frame.data).choices[0].delta.reasoning_details);
  const messages = [{ role: 'assistant', content: 'x', reasoning_content: 'Let me', reasoning_details: details }];
  const { prompt } = openaiChat.decodeRequest({ model: 'm', messages }, surface);
  assert.deepEqual(prompt.turns[0]?.content, [
    { type: 'reasoning', text: 'Let me', signature },
    { type: 'reasoning', text: '', redacted: true, signature },
    { type: 'text', text: 'x' },
  ]);
});

test('refusals are raised by the official SDK, whole and inside a stream', async () => {
  const refusal = new Refusal('budget_exceeded', 'Spent.', { facts: { limit: '1 USD' } });
  const reply = openaiChat.encodeError(refusal, context());
  assert.equal(reply.headers['x-should-retry'], 'false');
  const ask = (response: Response): Promise<unknown> => {
    const client = new OpenAI({ apiKey: 'k', baseURL: 'http://localhost', fetch: () => Promise.resolve(response) });
    return client.chat.completions.create({ model: 'm', messages: [], stream: true }).then(async (stream) => {
      for await (const chunk of stream) assert.ok(chunk);
    });
  };
  const raised = (error: unknown): boolean => error instanceof APIError && error.code === 'budget_exceeded';
  await assert.rejects(ask(new Response(reply.body, { status: reply.status, headers: reply.headers })), raised);
  const text = 'data: {"id":"1","choices":[{"index":0,"delta":{"content":"Half"}}]}\n\n';
  const headers = { 'content-type': 'text/event-stream' };
  await assert.rejects(ask(new Response(text + openaiChat.encodeStreamError(refusal, context()), { headers })), raised);
});

test('owned fields of the wrong type are refused by name', () => {
  for (const [param, value] of Object.entries({ model: 7, stream: 'yes', max_tokens: -1, n: 0, messages: {} })) {
    const body = { model: 'm', messages: [], [param]: value };
    assert.throws(
      () => openaiChat.outline(body, surface, 1),
      (error: unknown) => error instanceof Refusal && error.detail.param === param,
    );
  }
});
