import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Frame } from './frame.ts';

const events: readonly (readonly [text: string, event: string, data: string])[] = [
  ['data: {"a":1}\n\n', '', '{"a":1}'],
  ['data: \n\n', '', ''],
  ['data:  two blanks\n\n', '', ' two blanks'],
  ['data:none\n\n', '', 'none'],
  ['data: one\ndata: two\n\n', '', 'one\ntwo'],
  ['data: one\rdata: two\n\n', '', 'one\ntwo'],
  ['data: one\r\n\r\n', '', 'one'],
  ['event: error\ndata: x\n\n', 'error', 'x'],
  ['data: x\nevent: late\n\n', 'late', 'x'],
  ['data: not closed', '', 'not closed'],
  ['data: closed once\n', '', 'closed once'],
  ['data: x\ny', '', 'x'],
  ['data\n\n', '', ''],
  [': keep-alive\n\n', '', ''],
  ['\uFEFFdata: behind a mark\n\n', '', 'behind a mark'],
  ['data: é\u{1f600}\n\n', '', 'é\u{1f600}'],
];

for (const [text, event, data] of events)
  test(`the fields of ${JSON.stringify(text)}`, () => {
    const frame = new Frame(Buffer.from(text));
    assert.deepEqual([frame.event, frame.data], [event, data]);
  });
