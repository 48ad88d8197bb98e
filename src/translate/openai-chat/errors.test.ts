// A provider's word for an error, as a client of this format is told it: words of other formats stay behind.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal, type RefusalCode } from '../../exchange/refusal.ts';
import { encodeError, encodeStreamError } from './errors.ts';

const rows: readonly [word: string, refusal: RefusalCode, status: number, told: string][] = [
  ['INVALID_ARGUMENT', 'invalid_request', 400, 'invalid_request_error'],
  ['NOT_FOUND', 'invalid_request', 404, 'invalid_request_error'],
  ['RESOURCE_EXHAUSTED', 'rate_limited', 429, 'rate_limit_error'],
  ['INTERNAL', 'upstream_error', 500, 'upstream_error'],
  ['request_too_large', 'invalid_request', 413, 'invalid_request_error'],
  ['overloaded_error', 'upstream_error', 529, 'upstream_error'],
  ['api_error', 'upstream_error', 500, 'upstream_error'],
  ['rate_limit_error', 'rate_limited', 429, 'rate_limit_error'],
  ['not_found_error', 'invalid_request', 404, 'not_found_error'],
  ['insufficient_quota', 'rate_limited', 429, 'insufficient_quota'],
  ['exceed_context_size_error', 'context_too_long', 400, 'exceed_context_size_error'],
  ['invalid_model', 'invalid_request', 400, 'invalid_model'],
  ['Bad Request', 'invalid_request', 400, 'Bad Request'],
];

for (const [word, code, status, told] of rows) {
  test(`${word} with ${status} is told as ${told}`, () => {
    const refusal = new Refusal(code, 'm', { type: word, status });
    const context = { requestId: 'r' };
    assert.equal(JSON.parse(encodeError(refusal, context).body).error.type, told);
    const frame = encodeStreamError(refusal, context);
    assert.equal(JSON.parse(frame.slice('data: '.length)).error.type, told);
  });
}
