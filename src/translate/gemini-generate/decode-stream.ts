// A Gemini stream as parts. Its end is the end of the body, after every candidate has named its reason.

import type { StreamDecoder } from '../../exchange/codec.ts';
import { answerReader } from './answer-reader.ts';
import { parsed } from './wire.ts';

export function streamDecoder(): StreamDecoder {
  const reader = answerReader();
  return {
    push(frame) {
      const { data } = frame;
      return data.trim() === '' ? [] : reader.read(parsed(data));
    },
    end: () => reader.end(),
  };
}
