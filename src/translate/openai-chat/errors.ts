// Errors on the OpenAI wire: providers' bodies of any shape into a failure, refusals into what the official SDKs raise.

import type { AnswerContext, ErrorReply } from '../../exchange/codec.ts';
import type { UpstreamFailure } from '../../exchange/part.ts';
import { type Refusal, refusals } from '../../exchange/refusal.ts';
import { isObject, type Json, object, parse, text } from '../json.ts';

type Headers = Readonly<Record<string, string>>;
type Kind = UpstreamFailure['kind'];

const longestMessage = 2000;

/** A provider's error answer. A body that is no JSON (HTML, nothing) is not quoted. */
export function decodeError(status: number, body: Buffer, headers: Headers): UpstreamFailure {
  const parsed = parse(body.toString('utf8'));
  const whole = Array.isArray(parsed) ? parsed[0] : parsed;
  if (!isObject(whole)) {
    const kind = kindOf(status, '', '');
    return failure(status, `The provider answered ${status} without a JSON error.`, kind, {}, retryAfter(headers, ''));
  }
  return read(whole, status, headers);
}

/** The failure in a body or chunk that came with status 200, if its `error` says so. */
export function errorInside(whole: Json): UpstreamFailure | undefined {
  const error = whole.error;
  if (error === undefined || error === null || error === false || error === '') return undefined;
  return read(whole, statusInside(object(error)), {});
}

export function unreadable(what: string): UpstreamFailure {
  return { status: 502, message: what, kind: 'unreadable' };
}

function read(whole: Json, status: number, headers: Headers): UpstreamFailure {
  const error = isObject(whole.error) ? whole.error : undefined;
  const source = error ?? whole;
  const said =
    text(source.message) ?? text(whole.error) ?? words(whole.message) ?? words(whole.detail) ?? words(source.errors);
  const metadata = object(source.metadata);
  const raw = text(metadata.raw);
  const message = raw && said && !said.includes(raw) ? `${said}: ${raw}` : (said ?? 'The provider gave no reason.');
  const type = text(source.type) ?? text(source.status);
  const code = typeof source.code === 'number' ? String(source.code) : text(source.code);
  const kind = kindOf(status, `${type ?? ''} ${code ?? ''}`, message);
  const details = { type, code, param: text(source.param) };
  return failure(status, message, kind, details, retryAfter(headers, message));
}

function failure(
  status: number,
  message: string,
  kind: Kind,
  details: { type?: string | undefined; code?: string | undefined; param?: string | undefined },
  seconds: number | undefined,
): UpstreamFailure {
  return {
    status,
    message: message.slice(0, longestMessage),
    ...(details.type !== undefined && { type: details.type }),
    ...(details.code !== undefined && { code: details.code }),
    ...(details.param !== undefined && { param: details.param }),
    ...(seconds !== undefined && { retryAfter: seconds }),
    kind,
  };
}

function words(value: unknown): string | undefined {
  if (typeof value === 'string') return text(value);
  return isObject(value) || (Array.isArray(value) && value.length > 0) ? JSON.stringify(value) : undefined;
}

/** Errors inside a stream carry the status in a field, or only by their type. */
function statusInside(error: Json): number {
  for (const value of [error.status_code, error.code, error.status, error.raw_status_code]) {
    const number = Number(value);
    if (Number.isInteger(number) && number >= 400 && number <= 599) return number;
  }
  const type = `${text(error.type) ?? ''} ${text(error.code) ?? ''}`;
  if (/rate_limit|quota/.test(type)) return 429;
  if (/authentication|invalid_api_key/.test(type)) return 401;
  if (/invalid_request|context_length|content_filter|tool_use_failed/.test(type)) return 400;
  if (/overloaded|unavailable/.test(type)) return 503;
  if (/timeout/.test(type)) return 504;
  return 500;
}

const unpaid =
  /insufficient[_ ](quota|balance|funds|credit)|current quota|billing|all available credits|spending limit|more credits|payment/i;
const tooLong =
  /context_length_exceeded|exceed_context_size|maximum context length|context (length|window|size)|prompt is too long|too many tokens in|input is too long|maximum prompt length/i;
const badKey = /incorrect api key|invalid api key|invalid_api_key|api key (is )?(missing|invalid|not)|unauthori[sz]ed/i;
const filtered = /content_filter|content management policy|responsibleai|content_policy|moderation|safety/i;

function kindOf(status: number, type: string, message: string): Kind {
  const all = `${type} ${message}`;
  switch (status) {
    case 401:
      return 'authentication';
    case 402:
      return 'quota';
    case 403:
      return filtered.test(type) ? 'content-filter' : unpaid.test(all) ? 'quota' : 'permission';
    case 404:
      return 'not-found';
    case 408:
    case 504:
    case 522:
    case 524:
      return 'timeout';
    case 413:
      return 'too-large';
    case 429:
      if (unpaid.test(all)) return 'quota';
      return /request too large/i.test(message) ? 'too-large' : 'rate-limit';
    case 503:
    case 529:
      return 'overloaded';
    default:
      if (status >= 500) return /overloaded/i.test(all) ? 'overloaded' : 'server';
      if (tooLong.test(all)) return 'context-too-long';
      if (badKey.test(all)) return 'authentication';
      return filtered.test(all) ? 'content-filter' : 'invalid-request';
  }
}

function retryAfter(headers: Headers, message: string): number | undefined {
  const milliseconds = Number(headers['retry-after-ms'] ?? Number.NaN);
  if (milliseconds >= 0) return milliseconds / 1000;
  const named = headers['retry-after'];
  if (named !== undefined) {
    if (Number(named) >= 0) return Number(named);
    // A date is read against the provider's own clock, so that ours need not agree with it.
    const seconds = (Date.parse(named) - Date.parse(headers.date ?? '')) / 1000;
    if (seconds >= 0) return seconds;
  }
  const told = /(?:try again|retry) (?:in|after) (\d+(?:\.\d+)?) ?(ms|s|m)\b/i.exec(message);
  if (!told) return undefined;
  return Number(told[1]) * (told[2] === 'ms' ? 0.001 : told[2] === 'm' ? 60 : 1);
}

export function encodeError(refusal: Refusal, context: Pick<AnswerContext, 'requestId'>): ErrorReply {
  const headers: Record<string, string> = { 'content-type': 'application/json', 'x-request-id': context.requestId };
  // The official SDKs retry 408, 409, 429 and 5xx twice unless they are told not to.
  if (!refusal.retryable) headers['x-should-retry'] = 'false';
  const seconds = refusal.detail.retryAfter;
  if (seconds !== undefined) headers['retry-after'] = String(Math.ceil(seconds));
  return { status: refusal.status, headers, body: JSON.stringify(errorBody(refusal, context)) };
}

/** Both SDKs raise a chunk that has `error`; no `[DONE]` follows, so that the stream cannot look whole. */
export function encodeStreamError(refusal: Refusal, context: Pick<AnswerContext, 'requestId'>): string {
  return `data: ${JSON.stringify(errorBody(refusal, context))}\n\n`;
}

/** Google's and Anthropic's own words; those of this format's many dialects pass. */
const foreignType = /^([A-Z]+(_[A-Z]+)*|request_too_large|(api|billing|overloaded|timeout)_error)$/;

function errorBody(refusal: Refusal, context: Pick<AnswerContext, 'requestId'>): Json {
  const detail = refusal.detail;
  const type = detail.type === undefined || foreignType.test(detail.type) ? undefined : detail.type;
  return {
    error: {
      message: refusal.message,
      type: type ?? refusals[refusal.refusal].type,
      code: detail.code ?? refusal.refusal,
      param: detail.param ?? null,
      tollgate: { request_id: context.requestId, ...detail.facts },
    },
  };
}
