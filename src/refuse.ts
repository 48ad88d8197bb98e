// Tells a client no, in its own format, wherever its exchange had got to.

import type { Codec } from './exchange/codec.ts';
import type { Format, Surface } from './exchange/format.ts';
import type { Reply } from './exchange/ingress.ts';
import type { UpstreamFailure } from './exchange/part.ts';
import { Refusal, refusals } from './exchange/refusal.ts';
import type { Target } from './exchange/target.ts';
import type { CallFailure } from './exchange/wire.ts';
import type { Log } from './world/world.ts';

/** What was thrown, as a refusal. Anything but a `Refusal` is a fault of ours: logged with its stack, told without it. */
export function refusalOf(error: unknown, requestId: string, log: Log): Refusal {
  if (error instanceof Refusal) {
    log[refusals[error.refusal].level]('refused', { request: requestId, code: error.refusal, status: error.status });
    return error;
  }
  log.error('internal', { request: requestId, stack: error instanceof Error ? error.stack : typeof error });
  return new Refusal('internal', 'The gateway failed; the request id says where to look in its log.');
}

/** Answers with the refusal; inside a stream that has begun, as its last event. `told`: headers of the exchange so far. */
export function sendRefusal(
  refusal: Refusal,
  codecs: Readonly<Record<Format, Codec>>,
  { format, framing }: Pick<Surface, 'format' | 'framing'>,
  reply: Reply,
  requestId: string,
  told: Readonly<Record<string, string>> = {},
): void {
  // Told before, and the provider was heard out since.
  if (reply.ended) return;
  const codec = codecs[format];
  const { status, headers, body } = codec.encodeError(refusal, { requestId });
  if (reply.begun) {
    // Only heartbeats have left: blanks, where the stream is one JSON array.
    reply.write(framing === 'json-array' ? `[${body}]` : codec.encodeStreamError(refusal, { requestId }));
    reply.end();
    return;
  }
  reply.send(
    status,
    {
      ...told,
      ...headers,
      'x-tollgate-request-id': requestId,
      ...(refusal.detail.allow === undefined ? {} : { allow: refusal.detail.allow }),
      ...(refusal.retryable && refusal.detail.facts?.retry !== false ? {} : { 'x-should-retry': 'false' }),
    },
    body,
  );
}

/**
 * What the client is told of an upstream failure: the provider's word where the request was at fault, ours where it was
 * not. `final` says that no retry is left, at any layer.
 */
export function explain(failure: UpstreamFailure | CallFailure, target: Target, final: boolean): Refusal {
  const name = target.provider.name;
  const facts = { provider: name, ...(final ? { retry: false } : {}) };
  if (!('status' in failure)) {
    const code = failure.kind === 'timeout' ? 'upstream_timeout' : 'upstream_error';
    return new Refusal(code, `${name}: ${failure.message}.`, { facts });
  }
  const { status, message, type, code, param, retryAfter } = failure;
  const detail = {
    facts,
    ...(type === undefined ? {} : { type }),
    ...(code === undefined ? {} : { code }),
    ...(param === undefined ? {} : { param }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
  switch (failure.kind) {
    case 'authentication':
    case 'permission':
    case 'quota':
      // The gateway's own account is at fault, which the caller cannot mend: a 401 would make it doubt its own key.
      return new Refusal('upstream_error', `${name} refused the gateway's account (${status}): ${message}`, { facts });
    case 'invalid-request':
    case 'not-found':
      return new Refusal('invalid_request', message, { ...detail, status });
    case 'too-large':
      return new Refusal('too_large', message, { ...detail, status });
    case 'context-too-long':
      return new Refusal('context_too_long', message, { ...detail, status });
    case 'content-filter':
      return new Refusal('sensitive_content', message, { ...detail, status });
    case 'rate-limit':
      return new Refusal('rate_limited', `${name}: ${message}`, { ...detail, status });
    default:
      return new Refusal(status === 504 ? 'upstream_timeout' : 'upstream_error', `${name}: ${message}`, {
        ...detail,
        status: status >= 500 && status <= 599 ? status : 502,
      });
  }
}
