// Parts as Messages events.

import type { AnswerContext, StreamEncoder } from '../../exchange/codec.ts';
import { noUsage, type Usage } from '../../exchange/usage.ts';
import { createLosses } from '../losses.ts';
import { BlockWriter } from './block-writer.ts';
import { encodeStop, type Finish } from './encode-answer.ts';
import { encodeUsage } from './usage.ts';
import { event } from './wire.ts';

export function streamEncoder(context: AnswerContext): StreamEncoder {
  const losses = createLosses();
  let out = '';
  let started = false;
  let index = -1;
  /** What stands before the words of a delta: the same in each delta of a block. */
  let before: string | undefined;
  let finish: Finish | undefined;
  let usage: Usage = noUsage();

  const begin = (id: string | undefined, model: string | undefined): void => {
    if (started) return;
    started = true;
    const message = {
      id: id ?? context.id('msg_'),
      type: 'message',
      role: 'assistant',
      model: model ?? context.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      // Other formats tell usage at the end: there it comes whole, and clients of this one take the last word.
      usage: encodeUsage(usage, undefined),
    };
    out += event('message_start', { type: 'message_start', message });
  };
  const writer = new BlockWriter(
    {
      open(block) {
        index++;
        before = undefined;
        out += event('content_block_start', { type: 'content_block_start', index, content_block: block });
      },
      words(type, field, words) {
        before ??= `event: content_block_delta\ndata: {"type":"content_block_delta","index":${index},"delta":{"type":"${type}","${field}":`;
        out += `${before}${JSON.stringify(words)}}}\n\n`;
      },
      delta(delta) {
        out += event('content_block_delta', { type: 'content_block_delta', index, delta });
      },
      close() {
        out += event('content_block_stop', { type: 'content_block_stop', index });
      },
    },
    losses,
  );
  const flush = (): string => {
    const text = out;
    out = '';
    return text;
  };

  return {
    push(part) {
      if (part.type === 'start') begin(part.id, part.model);
      else if (part.type === 'usage') usage = part.usage;
      else if ('choice' in part && part.choice !== 0) {
        losses.push({ field: 'n', how: 'dropped', note: 'only the first answer is shown' });
      } else if (part.type === 'finish') {
        finish = part;
        if (part.reason === 'other') losses.push({ field: 'stop_reason', how: 'changed', note: part.raw ?? 'other' });
      } else if (part.type !== 'error' && part.type !== 'end') {
        begin(undefined, undefined);
        writer.push(part);
      }
      return flush();
    },
    losses: () => losses.all,
    end() {
      begin(undefined, undefined);
      writer.finish();
      const { empty, calledTool, refusal } = writer;
      if (empty && refusal !== '') writer.push({ type: 'text-delta', choice: 0, text: refusal });
      writer.finish();
      const delta = encodeStop(finish, calledTool, refusal);
      out += event('message_delta', { type: 'message_delta', delta, usage: encodeUsage(usage, context.price(usage)) });
      out += event('message_stop', { type: 'message_stop' });
      return flush();
    },
  };
}
