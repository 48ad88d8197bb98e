// The end that the gateway gives a passing stream: the open block closed, the limit as its reason, usage, the terminator.

import type { AnswerContext } from '../../exchange/codec.ts';
import type { Usage } from '../../exchange/usage.ts';
import { type Json, object, text } from '../json.ts';
import { encodeUsage } from './usage.ts';
import { event } from './wire.ts';

export interface Finish {
  /** Every event but deltas of content, which change nothing here. */
  see(value: Json): void;
  /**
   * Undefined inside a call, after a call of the provider's own whose result is missing, and inside a thought that has
   * no proof yet: the provider would not take such a turn back.
   */
  finish(usage: Usage): string | undefined;
}

/** Blocks whose text may end anywhere, and those that are whole from their first event. */
const closable = /^(text|redacted_thinking|fallback|.*_tool_result)$/;

export function createFinish(context: AnswerContext): Finish {
  let started = false;
  let stopping = false;
  let index: unknown = 0;
  /** Type of the latest block. */
  let block = '';
  let isOpen = false;

  return {
    see(value) {
      switch (value.type) {
        case 'message_start':
          started = true;
          break;
        case 'content_block_start':
          index = value.index;
          block = text(object(value.content_block).type) ?? '';
          isOpen = true;
          break;
        case 'content_block_stop':
          isOpen = false;
          break;
        case 'message_delta':
          stopping ||= text(object(value.delta).stop_reason) !== undefined;
      }
    },
    finish(usage) {
      if (!started || (isOpen && !closable.test(block)) || (/_tool_use$/.test(block) && !stopping)) return undefined;
      const stop = isOpen ? event('content_block_stop', { type: 'content_block_stop', index }) : '';
      const end = event('message_stop', { type: 'message_stop' });
      if (stopping) return stop + end;
      const delta = { stop_reason: 'max_tokens', stop_sequence: null };
      const told = encodeUsage(usage, context.price(usage));
      return stop + event('message_delta', { type: 'message_delta', delta, usage: told }) + end;
    },
  };
}
