// OpenAI chat completions: the codec's parts put together.

import type { Codec } from '../../exchange/codec.ts';
import { decodeAnswer } from './decode-answer.ts';
import { decodeRequest } from './decode-request.ts';
import { streamDecoder } from './decode-stream.ts';
import { encodeAnswer } from './encode-answer.ts';
import { encodeRequest } from './encode-request.ts';
import { streamEncoder } from './encode-stream.ts';
import { decodeError, encodeError, encodeStreamError } from './errors.ts';
import { outline, ownedKeys } from './outline.ts';
import { passStream } from './pass.ts';
import { passAnswer } from './pass-answer.ts';
import { splice } from './splice.ts';

export const openaiChat: Codec = {
  format: 'openai-chat',
  ownedKeys,
  outline,
  splice,
  decodeRequest,
  encodeRequest,
  passAnswer,
  decodeAnswer,
  encodeAnswer,
  passStream,
  streamDecoder,
  streamEncoder,
  decodeError,
  encodeError,
  encodeStreamError,
};
