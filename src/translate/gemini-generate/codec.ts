// Gemini's generateContent and streamGenerateContent, on the Gemini API and on Vertex.

import type { Codec } from '../../exchange/codec.ts';
import { decodeAnswer } from './decode-answer.ts';
import { decodeRequest } from './decode-request.ts';
import { streamDecoder } from './decode-stream.ts';
import { encodeAnswer } from './encode-answer.ts';
import { encodeRequest } from './encode-request.ts';
import { streamEncoder } from './encode-stream.ts';
import { decodeError, encodeError, encodeStreamError } from './errors.ts';
import { outline, ownedKeys } from './outline.ts';
import { passAnswer } from './pass-answer.ts';
import { passStream } from './pass-stream.ts';
import { splice } from './splice.ts';

export const geminiGenerate: Codec = {
  format: 'gemini-generate',
  outline,
  ownedKeys,
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
