// Errors, both ways: what a provider of this format says went wrong, and how its clients are told no.

import type { AnswerContext, ErrorReply } from '../../exchange/codec.ts';
import type { UpstreamFailure } from '../../exchange/part.ts';
import type { Refusal } from '../../exchange/refusal.ts';
import { compact, isObject, type Json, object, parse, text } from '../json.ts';
import { event } from './wire.ts';

type Kind = UpstreamFailure['kind'];

const types: Readonly<Record<string, { readonly status: number; readonly kind: Kind }>> = {
  invalid_request_error: { status: 400, kind: 'invalid-request' },
  authentication_error: { status: 401, kind: 'authentication' },
  billing_error: { status: 402, kind: 'quota' },
  permission_error: { status: 403, kind: 'permission' },
  not_found_error: { status: 404, kind: 'not-found' },
  request_too_large: { status: 413, kind: 'too-large' },
  rate_limit_error: { status: 429, kind: 'rate-limit' },
  api_error: { status: 500, kind: 'server' },
  timeout_error: { status: 504, kind: 'timeout' },
  overloaded_error: { status: 529, kind: 'overloaded' },
};

function kindOf(status: number): Kind {
  switch (status) {
    case 401:
      return 'authentication';
    case 402:
      return 'quota';
    case 403:
      return 'permission';
    case 404:
      return 'not-found';
    case 408:
    case 504:
      return 'timeout';
    case 413:
      return 'too-large';
    case 429:
      return 'rate-limit';
    case 503:
    case 529:
      return 'overloaded';
    default:
      return status >= 500 ? 'server' : status >= 400 ? 'invalid-request' : 'unreadable';
  }
}

/** Causes that hide behind a general type, told by the provider's own words. */
function kindInWords(message: string, kind: Kind): Kind {
  if (kind !== 'invalid-request' && kind !== 'rate-limit' && kind !== 'permission' && kind !== 'too-large') return kind;
  if (/prompt is too long|exceeds? (the )?(maximum )?context|context (window|length|limit)/i.test(message)) {
    return 'context-too-long';
  }
  if (
    /credit balance is too low|usage limits?\b.*\bregain|spend(ing)? limit|insufficient (funds|quota|balance)/i.test(
      message,
    )
  ) {
    return 'quota';
  }
  return /content filter|blocked by .*policy/i.test(message) ? 'content-filter' : kind;
}

/**
 * Reads an error object of any shape: this format's own, Google's (Vertex, also in an array), Azure's, a bare
 * `message` (Bedrock), a `detail` (proxies). `status` is 0 where it came inside a stream.
 */
export function failureOf(value: unknown, status: number, retryAfter?: number): UpstreamFailure {
  const body = object(Array.isArray(value) ? value[0] : value);
  const error = isObject(body.error) ? body.error : body;
  const type = text(error.type) ?? text(error.status);
  const row = type === undefined ? undefined : types[type];
  const found = status || row?.status || statusIn(error) || 500;
  const message =
    text(error.message) ??
    text(error.Message) ??
    text(error.detail) ??
    text(body.error) ??
    text(body.message) ??
    (isObject(value) || Array.isArray(value)
      ? JSON.stringify(value)
      : `The provider answered ${found} without a message.`);
  const details = object(error.details);
  const code = text(details.error_code) ?? text(error.code);
  const param = text(error.param);
  return {
    status: found,
    message: message.slice(0, 2000),
    kind: kindInWords(message, row?.kind ?? kindOf(found)),
    ...(type === undefined || type === 'error' ? {} : { type }),
    ...(code === undefined ? {} : { code }),
    ...(param === undefined ? {} : { param }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}

function statusIn(error: Json): number | undefined {
  const code = Number(error.code ?? error.statusCode);
  return code >= 400 && code <= 599 ? code : undefined;
}

export function decodeError(status: number, body: Buffer, headers: Readonly<Record<string, string>>): UpstreamFailure {
  const value = parse(body.toString('utf8'));
  const wait = Number(headers['retry-after-ms'] ?? Number.NaN) / 1000 || Number(headers['retry-after']);
  const retryAfter = Number.isFinite(wait) && wait >= 0 && headers['retry-after'] !== '' ? wait : undefined;
  if (isObject(value) || Array.isArray(value)) return failureOf(value, status, retryAfter);
  const message = body.length === 0 ? 'an empty body' : 'something other than JSON';
  return {
    status,
    message: `The provider answered ${status} with ${message}.`,
    kind: kindOf(status),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}

/** An answer or a frame that is no JSON at all. */
export function unreadable(message: string): UpstreamFailure {
  return { status: 502, message, kind: 'unreadable' };
}

function typeFor(status: number): string {
  if (status === 503) return 'overloaded_error';
  if (status === 408) return 'timeout_error';
  for (const [type, row] of Object.entries(types)) if (row.status === status) return type;
  return status >= 500 ? 'api_error' : 'invalid_request_error';
}

function errorBody(refusal: Refusal, requestId: string): Json {
  const { detail } = refusal;
  const code = detail.code ?? refusal.refusal;
  return {
    type: 'error',
    error: compact({
      type: detail.type !== undefined && detail.type in types ? detail.type : typeFor(refusal.status),
      message: refusal.message,
      code,
      param: detail.param,
      // The SDK reads `details.error_code`.
      details: { error_code: code },
      tollgate: { request_id: requestId, ...detail.facts },
    }),
    request_id: requestId,
  };
}

/** `request-id` is where the official SDK finds the id. */
export function encodeError(refusal: Refusal, context: Pick<AnswerContext, 'requestId'>): ErrorReply {
  const headers: Record<string, string> = { 'content-type': 'application/json', 'request-id': context.requestId };
  if (!refusal.retryable) headers['x-should-retry'] = 'false';
  if (refusal.detail.retryAfter !== undefined) headers['retry-after'] = String(Math.ceil(refusal.detail.retryAfter));
  return { status: refusal.status, headers, body: JSON.stringify(errorBody(refusal, context.requestId)) };
}

export function encodeStreamError(refusal: Refusal, context: Pick<AnswerContext, 'requestId'>): string {
  return event('error', errorBody(refusal, context.requestId));
}
