// The hand-written cases: an answer, a stream or a request, and what it means. `expected.json` stands beside each.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { Frame } from '../../exchange/frame.ts';
import { geminiGenerate as codec } from './codec.ts';

const folder = resolve(import.meta.dirname, '../../../fixtures/gemini-generate');
const surface = {
  kind: 'generate',
  format: 'gemini-generate',
  model: 'models/gemini-2.5-flash',
  stream: true,
} as const;

function meaning(directory: string): unknown {
  const read = (name: string): string => readFileSync(resolve(directory, name), 'utf8');
  if (existsSync(resolve(directory, 'answer.json'))) return codec.decodeAnswer(JSON.parse(read('answer.json')));
  if (existsSync(resolve(directory, 'stream.sse'))) {
    const decoder = codec.streamDecoder();
    const events = read('stream.sse').split('\n\n').slice(0, -1);
    return [...events.flatMap((event) => decoder.push(new Frame(Buffer.from(`${event}\n\n`)))), ...decoder.end()];
  }
  const body = JSON.parse(read('request.json')) as Record<string, unknown>;
  return { outline: codec.outline(body, surface, 1000), ...codec.decodeRequest(body, surface) };
}

for (const name of readdirSync(folder).sort()) {
  test(`fixture ${name}`, () => {
    const expected: unknown = JSON.parse(readFileSync(resolve(folder, name, 'expected.json'), 'utf8'));
    assert.deepEqual(JSON.parse(JSON.stringify(meaning(resolve(folder, name)))), expected);
  });
}
