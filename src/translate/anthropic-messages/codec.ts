// The door of the Anthropic Messages format, also as Vertex, Azure Foundry and other hosts serve it.

import type { Codec } from '../../exchange/codec.ts';
import { decodeAnswer } from './decode-answer.ts';
import { decodeRequest } from './decode-request.ts';
import { streamDecoder } from './decode-stream.ts';
import { encodeAnswer } from './encode-answer.ts';
import { encodeRequest } from './encode-request.ts';
import { streamEncoder } from './encode-stream.ts';
import { decodeError, encodeError, encodeStreamError } from './errors.ts';
import { outline, ownedKeys } from './outline.ts';
import { passAnswer, passStream } from './pass.ts';
import { splice } from './splice.ts';

export const anthropicMessages: Codec = {
  format: 'anthropic-messages',
  outline: (body, _surface, bytes) => outline(body, bytes),
  ownedKeys,
  splice,
  decodeRequest: (body) => decodeRequest(body),
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
