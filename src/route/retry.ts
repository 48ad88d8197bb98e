// What may follow a failure, by its kind. How often, and never after the first content frame, is the pipeline's business.

import type { UpstreamFailure } from '../exchange/part.ts';
import type { CallFailure } from '../exchange/wire.ts';

/** `same`: the same target again; `next`: another target; `no`: the client gets this failure. */
export type Retry = 'next' | 'same' | 'no';

const upstream: Readonly<Record<UpstreamFailure['kind'], Retry>> = {
  // The request itself is at fault: another provider would refuse it too, or bill for it.
  'invalid-request': 'no',
  'context-too-long': 'no',
  'too-large': 'no',
  'content-filter': 'no',
  // This account or model, not the request.
  authentication: 'next',
  permission: 'next',
  'not-found': 'next',
  quota: 'next',
  // This provider at this moment.
  'rate-limit': 'next',
  overloaded: 'next',
  timeout: 'next',
  server: 'next',
  unreadable: 'next',
};

export function retryRule(failure: UpstreamFailure | CallFailure, attempt = 1): Retry {
  if (!('sent' in failure)) return upstream[failure.kind];
  if (failure.kind === 'aborted') return 'no';
  // The total clock is the whole patience there was; the others leave time for somebody else.
  if (failure.kind === 'timeout') return failure.clock === 'total' ? 'no' : 'next';
  if (failure.sent || failure.kind === 'forbidden-address') return 'next';
  // Nothing left the machine: a stale pooled connection or one lost handshake, surely unbilled, usually cured at once.
  return attempt <= 1 ? 'same' : 'next';
}
