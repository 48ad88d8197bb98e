// How the built-in provider fails, by model name: each the way a real provider fails, so that a setup can be tried out.

import { Buffer } from 'node:buffer';
import type { SimScript } from './sim-script.ts';

type Failure = { readonly whole: () => SimScript } | { readonly spoils: (script: SimScript) => SimScript };

export const failures: Readonly<Record<string, Failure>> = {
  'sim-error-400': { whole: () => fault(400, 'invalid_request_error', 'context_length_exceeded', 'Too many tokens.') },
  'sim-error-401': { whole: () => fault(401, 'authentication_error', 'invalid_api_key', 'Incorrect API key.') },
  'sim-error-429': {
    whole: () => fault(429, 'rate_limit_error', 'rate_limit_exceeded', 'Rate limit reached.', { 'retry-after': '1' }),
  },
  'sim-error-quota': {
    whole: () => fault(429, 'insufficient_quota', 'insufficient_quota', 'The quota of this account is used up.'),
  },
  'sim-error-500': { whole: () => fault(500, 'server_error', null, 'The server had an error.') },
  'sim-error-overloaded': {
    whole: () => fault(503, 'overloaded_error', 'overloaded', 'The model is overloaded.', { 'retry-after': '1' }),
  },
  'sim-error-html': {
    whole: () => ({
      status: 502,
      headers: { 'content-type': 'text/html' },
      steps: [step('<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>')],
      ends: 'end',
    }),
  },
  'sim-error-timeout': { whole: () => ({ status: 200, headers: {}, steps: [], ends: 'never' }) },
  'sim-error-cut': { spoils: (script) => ({ ...script, steps: half(script), ends: 'cut' }) },
  'sim-error-mid-stream-error': {
    spoils: (script) => {
      const error = errorBody('server_error', null, 'The server had an error while it answered.');
      const streams = script.headers['content-type']?.startsWith('text/event-stream');
      return streams
        ? { ...script, steps: [...half(script), step(`data: ${error}\n\n`)] }
        : { ...script, steps: [step(error)] };
    },
  },
};

/** The whole script of a model that never answers well. */
export function failureOf(model: string): SimScript | undefined {
  const failure = failures[model];
  return failure && 'whole' in failure ? failure.whole() : undefined;
}

/** An answer as a model that breaks in the middle would give it. */
export function spoil(model: string, script: SimScript): SimScript {
  const failure = failures[model];
  return failure && 'spoils' in failure ? failure.spoils(script) : script;
}

export function refused(message: string, param: string | null): SimScript {
  return fault(400, 'invalid_request_error', null, message, {}, param);
}

export function notFound(model: string, models: readonly string[]): SimScript {
  const shown = JSON.stringify(model.slice(0, 100));
  const message = `The built-in provider has no model ${shown}. It has: ${models.join(', ')}.`;
  return fault(404, 'invalid_request_error', 'model_not_found', message, {}, 'model');
}

function fault(
  status: number,
  type: string,
  code: string | null,
  message: string,
  headers: Record<string, string> = {},
  param: string | null = null,
): SimScript {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    steps: [step(errorBody(type, code, message, param))],
    ends: 'end',
  };
}

function errorBody(type: string, code: string | null, message: string, param: string | null = null): string {
  return JSON.stringify({ error: { message, type, param, code } });
}

function step(text: string): SimScript['steps'][number] {
  return { afterMs: 0, bytes: Buffer.from(text, 'utf8') };
}

/** The first half of the steps, or of the bytes where there is one step. */
function half({ steps }: SimScript): SimScript['steps'] {
  const [first] = steps;
  if (steps.length !== 1 || !first) return steps.slice(0, Math.ceil(steps.length / 2));
  return [{ ...first, bytes: first.bytes.subarray(0, first.bytes.length >> 1) }];
}
