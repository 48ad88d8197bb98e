// Google's error bodies: read whatever a provider sent, and write what Google's SDKs raise.

import type { AnswerContext, ErrorReply } from '../../exchange/codec.ts';
import type { UpstreamFailure } from '../../exchange/part.ts';
import type { Refusal } from '../../exchange/refusal.ts';
import { type Fields, field, fieldsOf, isFields, listOf, numberOf, parsed, textOf } from './wire.ts';

type Kind = UpstreamFailure['kind'];

const statusOf: Readonly<Record<string, number>> = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  OUT_OF_RANGE: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ABORTED: 409,
  ALREADY_EXISTS: 409,
  RESOURCE_EXHAUSTED: 429,
  CANCELLED: 499,
  INTERNAL: 500,
  UNKNOWN: 500,
  DATA_LOSS: 500,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
};

const nameOf: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  402: 'FAILED_PRECONDITION',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  405: 'UNIMPLEMENTED',
  408: 'DEADLINE_EXCEEDED',
  409: 'ABORTED',
  413: 'INVALID_ARGUMENT',
  422: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  501: 'UNIMPLEMENTED',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
  529: 'UNAVAILABLE',
};

/** The `error` object of a body: plain, or inside the array that streams without `alt=sse` are. */
export function errorOf(body: unknown): Fields | undefined {
  const candidate = Array.isArray(body) ? body.find((each) => isFields(each) && isFields(each.error)) : body;
  return isFields(candidate) && isFields(candidate.error) ? candidate.error : undefined;
}

/** `httpStatus` is the response's own; absent where the error came inside a stream or an answer with status 200. */
export function failureOf(error: Fields, httpStatus?: number, retryHeader?: string): UpstreamFailure {
  const type = textOf(error.status);
  const code = numberOf(error.code);
  const told = code !== undefined && code >= 400 && code < 600 ? code : undefined;
  const status = httpStatus ?? told ?? (type === undefined ? undefined : statusOf[type]) ?? 502;
  const message = (textOf(error.message) ?? 'The provider gave no reason.').slice(0, 2000);
  const details = listOf(error.details).map(fieldsOf);
  const reason = details.map((each) => textOf(each.reason)).find((each) => each !== undefined);
  const retryAfter = retryAfterOf(retryHeader, details);
  const param = details
    .flatMap((each) => listOf(field(each, 'fieldViolations')))
    .map((each) => textOf(fieldsOf(each).field))
    .find((each) => each);
  return {
    status,
    message,
    ...(type === undefined ? {} : { type }),
    ...(reason === undefined ? {} : { code: reason }),
    ...(param === undefined ? {} : { param }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    kind: kindOf(status, type, message, reason, details),
  };
}

function kindOf(
  status: number,
  type: string | undefined,
  message: string,
  reason: string | undefined,
  details: readonly Fields[],
): Kind {
  if (reason === 'API_KEY_INVALID' || reason === 'API_KEY_EXPIRED' || /API key (not valid|expired)/i.test(message))
    return 'authentication';
  if (status === 429) return exhausted(message, details) ? 'quota' : 'rate-limit';
  if (status === 400 || status === 413 || status === 422) {
    if (/token count[^.]*exceeds|exceeds the maximum number of (input )?tokens|too many (input )?tokens/i.test(message))
      return 'context-too-long';
    if (status === 413) return 'too-large';
    return type === 'FAILED_PRECONDITION' ? 'permission' : 'invalid-request';
  }
  if (status === 401) return 'authentication';
  if (status === 402) return 'quota';
  if (status === 403) return 'permission';
  if (status === 404) return 'not-found';
  if (status === 408 || status === 499 || status === 504) return 'timeout';
  if (status === 503 || status === 529) return 'overloaded';
  return status >= 500 ? 'server' : 'invalid-request';
}

/** A quota of a day or of nothing, or no credit: the same account cannot help soon. A quota of a minute can. */
function exhausted(message: string, details: readonly Fields[]): boolean {
  const violations = details.flatMap((each) => listOf(each.violations)).map(fieldsOf);
  const daily = violations.some((each) => /PerDay|PerMonth/.test(textOf(field(each, 'quotaId')) ?? ''));
  const none = violations.some((each) => field(each, 'quotaValue') === '0');
  return daily || none || /credits? (are|is) depleted|, limit: 0\b/i.test(message);
}

function retryAfterOf(header: string | undefined, details: readonly Fields[]): number | undefined {
  const seconds = header === undefined ? undefined : numberOf(header);
  if (seconds !== undefined && seconds >= 0) return seconds;
  for (const each of details) {
    const match = /^(\d+(?:\.\d+)?)s$/.exec(textOf(field(each, 'retryDelay')) ?? '');
    if (match) return Number(match[1]);
  }
  return undefined;
}

export function decodeError(status: number, body: Buffer, headers: Readonly<Record<string, string>>): UpstreamFailure {
  const error = errorOf(parsed(body.toString('utf8')));
  if (error) return failureOf(error, status, headers['retry-after']);
  return failureOf(
    { message: `The provider answered ${status} without a readable error.` },
    status,
    headers['retry-after'],
  );
}

export const unreadable: UpstreamFailure = {
  status: 502,
  message: 'The provider sent something that is not a Gemini answer.',
  kind: 'unreadable',
};

export function encodeError(refusal: Refusal, context: Pick<AnswerContext, 'requestId'>): ErrorReply {
  const { retryAfter } = refusal.detail;
  return {
    status: refusal.status,
    headers: {
      'content-type': 'application/json; charset=UTF-8',
      ...(refusal.retryable ? {} : { 'x-should-retry': 'false' }),
      ...(retryAfter === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfter)) }),
    },
    body: errorBody(refusal, context),
  };
}

/** The JSON of an error: the body of an answer, or one element of a stream. */
export function errorBody(refusal: Refusal, context: Pick<AnswerContext, 'requestId'>): string {
  const { detail, status } = refusal;
  const metadata: Record<string, string> = { request_id: context.requestId };
  for (const [name, value] of Object.entries(detail.facts ?? {})) metadata[name] = String(value);
  const word = [detail.type, detail.code].find((each) => each !== undefined && each in statusOf);
  return JSON.stringify({
    error: {
      code: status,
      message: refusal.message,
      status: word ?? nameOf[status] ?? (status >= 500 ? 'INTERNAL' : 'FAILED_PRECONDITION'),
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: detail.code ?? refusal.refusal,
          domain: 'tollgate',
          metadata,
        },
        ...(detail.param === undefined
          ? []
          : [
              {
                '@type': 'type.googleapis.com/google.rpc.BadRequest',
                fieldViolations: [{ field: detail.param, description: refusal.message }],
              },
            ]),
        ...(detail.retryAfter === undefined
          ? []
          : [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${detail.retryAfter}s` }]),
      ],
    },
  });
}

export function encodeStreamError(refusal: Refusal, context: Pick<AnswerContext, 'requestId'>): string {
  return `data: ${errorBody(refusal, context)}\n\n`;
}
