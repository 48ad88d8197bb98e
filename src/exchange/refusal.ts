// The table of refusals: code, status, whose fault, whether a retry can help, how loud the log is.
// A code, once published, is never reused for something else; docs/refusals.md is held to this table by a test.

export type Fault = 'client' | 'operator' | 'gateway' | 'upstream' | 'policy';
export type Level = 'debug' | 'info' | 'warn' | 'error';

interface Row {
  readonly status: number;
  readonly fault: Fault;
  readonly retryable: boolean;
  readonly level: Level;
  /** The `type` of the OpenAI error body. */
  readonly type: string;
}

const invalid = {
  status: 400,
  fault: 'client',
  retryable: false,
  level: 'info',
  type: 'invalid_request_error',
} as const;
const busy = { status: 503, fault: 'gateway', retryable: true, level: 'warn', type: 'server_error' } as const;
const stopped = { status: 403, fault: 'policy', retryable: false, level: 'info', type: 'permission_error' } as const;

export const refusals = {
  invalid_request: invalid,
  parameter_refused: invalid,
  context_too_long: invalid,
  price_unknown: { ...invalid, fault: 'operator', level: 'warn' },
  invalid_key: { status: 401, fault: 'client', retryable: false, level: 'info', type: 'authentication_error' },
  budget_exceeded: { status: 402, fault: 'policy', retryable: false, level: 'info', type: 'budget_exceeded' },
  not_allowed: stopped,
  killed: stopped,
  loop_stopped: stopped,
  velocity_stopped: stopped,
  sensitive_content: stopped,
  unknown_model: { status: 404, fault: 'client', retryable: false, level: 'info', type: 'not_found_error' },
  unknown_path: { status: 404, fault: 'client', retryable: false, level: 'debug', type: 'not_found_error' },
  method_not_allowed: { status: 405, fault: 'client', retryable: false, level: 'debug', type: 'invalid_request_error' },
  request_timeout: { status: 408, fault: 'client', retryable: true, level: 'info', type: 'invalid_request_error' },
  too_large: { status: 413, fault: 'client', retryable: false, level: 'info', type: 'invalid_request_error' },
  rate_limited: { status: 429, fault: 'policy', retryable: true, level: 'info', type: 'rate_limit_error' },
  client_closed: { status: 499, fault: 'client', retryable: false, level: 'debug', type: 'client_closed' },
  internal: { status: 500, fault: 'gateway', retryable: false, level: 'error', type: 'server_error' },
  upstream_error: { status: 502, fault: 'upstream', retryable: true, level: 'warn', type: 'upstream_error' },
  output_invalid: { status: 502, fault: 'upstream', retryable: true, level: 'warn', type: 'upstream_error' },
  overloaded: busy,
  draining: busy,
  queue_full: busy,
  ledger_unavailable: { ...busy, level: 'error' },
  budget_unavailable: { ...busy, level: 'error' },
  upstream_timeout: { status: 504, fault: 'upstream', retryable: true, level: 'warn', type: 'upstream_error' },
} as const satisfies Record<string, Row>;

export type RefusalCode = keyof typeof refusals;

export interface RefusalDetail {
  /** The request field at fault, as the client wrote it. */
  readonly param?: string;
  /** Seconds until a retry makes sense. */
  readonly retryAfter?: number;
  /** The methods that a path takes, for a refusal of another. */
  readonly allow?: string;
  /** The provider's own status, where its answer is what is passed on. */
  readonly status?: number;
  /** The provider's own error type and code, in its words. */
  readonly type?: string;
  readonly code?: string;
  /** How a stream ends that this refusal cuts; `error` where unset. Not told. */
  readonly onExhausted?: 'error' | 'finish';
  /** Facts for the client, shown under `error.tollgate`. Never a secret, a prompt, or another tenant's name. */
  readonly facts?: Readonly<Record<string, string | number | boolean>>;
}

/** The one way a room says no. Carries only what a client may read. */
export class Refusal extends Error {
  readonly refusal: RefusalCode;
  readonly detail: RefusalDetail;

  constructor(code: RefusalCode, message: string, detail: RefusalDetail = {}) {
    super(message);
    this.refusal = code;
    this.detail = detail;
  }

  get status(): number {
    return this.detail.status ?? refusals[this.refusal].status;
  }

  get retryable(): boolean {
    return refusals[this.refusal].retryable;
  }
}
