// Frames that pass by the shape of the last: the text is counted in each, the usage read now and then and at the end.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerContext } from '../../../test/answer-context.ts';
import { Frame } from '../../exchange/frame.ts';
import { geminiGenerate } from './codec.ts';

function frame(text: string, output: number, thoughts = 0): Frame {
  const part = JSON.stringify(text);
  const counts = `"promptTokenCount":9,"candidatesTokenCount":${output},"thoughtsTokenCount":${thoughts}`;
  const json = `{"candidates":[{"content":{"parts":[{"text":${part}}],"role":"model"},"index":0}],"usageMetadata":{${counts}}}`;
  return new Frame(Buffer.from(`data: ${json}\n\n`));
}

const lane = () => geminiGenerate.passStream(answerContext());

test('a usage that grows is read at least every 64 frames, and the last one at the end', () => {
  const open = lane();
  let told = 0;
  for (let index = 1; index <= 200; index++) {
    const glimpse = open.push(frame('words "and" é漢.', index));
    assert.equal(glimpse.characters, 17);
    told = glimpse.usage?.output ?? told;
    assert.ok(index - told <= 64, `frame ${index}: told ${told}`);
  }
  assert.ok(told < 200);
  assert.equal(open.end().usage?.output, 200);
});

test('thoughts that show no text are told at once', () => {
  const open = lane();
  open.push(frame('x', 1, 1));
  open.push(frame('x', 1, 2));
  assert.equal(open.push(frame('', 1, 500)).usage?.reasoning, 500);
});
