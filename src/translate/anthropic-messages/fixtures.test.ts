// The corpus of hand-written cases: the whole answer and the stream of one case mean the same parts.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { contextOf, fold, framesOf, targetOf } from '../../../test/messages-kit.ts';
import type { Part } from '../../exchange/part.ts';
import { object } from '../json.ts';
import { anthropicMessages as codec } from './codec.ts';

const folder = resolve(import.meta.dirname, '../../../fixtures/anthropic-messages');
const read = (name: string, file: string): string => readFileSync(resolve(folder, name, file), 'utf8');
const json = (name: string, file: string): unknown => JSON.parse(read(name, file));

function decodeStream(sse: string): Part[] {
  const decoder = codec.streamDecoder();
  return [...framesOf(sse).flatMap((frame) => decoder.push(frame)), ...decoder.end()];
}

/** Without what this format has no place for: other models' usage, and where in all text a citation's part begins. */
function carried(parts: readonly Part[]): unknown {
  return fold(parts).map((each) => {
    if (each.kind === 'usage') return { ...each, usage: { ...object(each.usage), unknown: undefined } };
    return each.kind === 'citation' ? { ...each, citation: { ...object(each.citation), start: undefined } } : each;
  });
}

for (const name of readdirSync(folder).filter((each) => !each.startsWith('request'))) {
  test(`${name}: answer and stream are the expected parts, and come back`, () => {
    const expected = json(name, 'parts.json');
    const plain = (parts: readonly Part[]): unknown => JSON.parse(JSON.stringify(fold(parts)));
    const whole = codec.decodeAnswer(json(name, 'answer.json'));
    assert.deepEqual(plain(whole), expected);
    assert.deepEqual(plain(decodeStream(read(name, 'stream.sse'))), expected);

    const answer = object(JSON.parse(codec.encodeAnswer(whole, contextOf()).body));
    const original = object(json(name, 'answer.json'));
    // Parts do not say where uncited text ended and cited text began: those two become one block.
    if (!name.includes('citations')) assert.deepEqual(answer.content, original.content);
    assert.equal(answer.stop_reason, original.stop_reason);
    assert.equal(answer.stop_sequence, original.stop_sequence);
    const encoder = codec.streamEncoder(contextOf());
    const sse = whole.map((part) => encoder.push(part)).join('') + encoder.end();
    assert.deepEqual(carried(decodeStream(sse)), carried(whole));
  });
}

test('a request with everything keeps everything', () => {
  const body = object(json('request-with-everything', 'request.json'));
  const { prompt, losses } = codec.decodeRequest(body, { kind: 'generate', format: 'anthropic-messages' });
  assert.deepEqual(JSON.parse(JSON.stringify(prompt)), json('request-with-everything', 'prompt.json'));
  assert.deepEqual(losses, []);
  const encoded = codec.encodeRequest(prompt, targetOf('claude-sonnet-4-5'));
  assert.deepEqual(encoded.losses, []);
  const { temperature, ...rest } = body;
  assert.equal(temperature, 1);
  const expected = JSON.parse(JSON.stringify(rest)) as Record<string, unknown>;
  const messages = expected.messages as { content: Record<string, unknown>[] }[];
  const result = messages[2]?.content[0];
  assert.ok(result);
  result.content = [{ type: 'text', text: result.content }];
  assert.deepEqual(JSON.parse(encoded.body), expected);
});

test('the outline of the same request', () => {
  const body = object(json('request-with-everything', 'request.json'));
  assert.deepEqual(codec.outline(body, { kind: 'generate', format: 'anthropic-messages' }, 99), {
    format: 'anthropic-messages',
    model: 'claude-sonnet-4-5',
    stream: true,
    wantsUsage: true,
    choices: 1,
    tools: 2,
    paidTools: ['web_search'],
    images: 3,
    documents: 3,
    audio: 0,
    bytes: 99,
    mediaBytes: 36,
    outputLimit: 4096,
    thinkingBudget: 2000,
    tier: 'standard_only',
    endUser: 'u-7',
  });
});
