// Access tokens for Google Cloud: signed for (service account), refreshed (user credentials) or fetched from the metadata server.

import { Buffer } from 'node:buffer';
import { createSign } from 'node:crypto';
import { Refusal } from '../exchange/refusal.ts';
import type { Provider, Timeouts } from '../exchange/target.ts';
import type { TokenRequest } from '../exchange/wire.ts';
import type { World } from '../world/world.ts';
import { fetchToken } from './token-call.ts';

export interface GoogleTokens {
  /** A token good for at least a minute, or undefined. */
  current(provider: Provider): string | undefined;
  /** Undefined where `current` has one; otherwise resolves once it has. Rejects with `Refusal`. One fetch at a time. */
  prepare(provider: Provider): Promise<void> | undefined;
}

interface Held {
  token: string;
  /** Monotonic ms until which it is handed out: a minute less than it is good for. */
  until: number;
  fetching: Promise<void> | undefined;
  /** A failure is told again until then, so that a wrong credential does not become a call for every request. */
  failedUntil: number;
  failure: Refusal | undefined;
}

const spareMs = 60_000;
const failureMs = 2_000;
const assertionS = 3600;
const scope = 'https://www.googleapis.com/auth/cloud-platform';
const timeouts: Timeouts = { connect: 3_000, firstByte: 10_000, idle: 10_000, total: 10_000 };

export function createGoogleTokens(world: Pick<World, 'clock' | 'network' | 'log'>): GoogleTokens {
  const { clock, log } = world;
  // By provider object: a reload that changes a credential makes a new one, and the old token goes with the old object.
  const held = new WeakMap<Provider, Held>();

  function of(provider: Provider): Held {
    let one = held.get(provider);
    if (!one) {
      one = { token: '', until: 0, fetching: undefined, failedUntil: 0, failure: undefined };
      held.set(provider, one);
    }
    return one;
  }

  async function fetch(provider: Provider, one: Held): Promise<void> {
    try {
      const answer = await fetchToken(world, tokenRequest(provider, clock.now()));
      one.token = answer.token;
      one.until = clock.monotonic() + answer.lifetimeMs - spareMs;
      one.failure = undefined;
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown';
      log.error('google_token_failed', { provider: provider.name, reason });
      one.failure = new Refusal('upstream_error', `No access token for provider ${provider.name}: ${reason}`);
      one.failedUntil = clock.monotonic() + failureMs;
      throw one.failure;
    } finally {
      one.fetching = undefined;
    }
  }

  return {
    current(provider) {
      const one = held.get(provider);
      return one && clock.monotonic() < one.until ? one.token : undefined;
    },
    prepare(provider) {
      const one = of(provider);
      const now = clock.monotonic();
      if (now < one.until) return undefined;
      if (one.failure && now < one.failedUntil) return Promise.reject(one.failure);
      one.fetching ??= fetch(provider, one);
      return one.fetching;
    },
  };
}

/** Throws with a reason that names no secret. */
function tokenRequest(provider: Provider, now: number): TokenRequest {
  const credential = provider.keys[0];
  if (!credential) return metadataRequest();
  const fields = parse(credential.reveal());
  const endpoint = field(fields, 'token_uri', 'https://oauth2.googleapis.com/token');
  if (fields.type === 'service_account') {
    const assertion = sign(fields, endpoint, Math.floor(now / 1000));
    const grant = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion };
    return formRequest(endpoint, grant, provider.trust);
  }
  if (fields.type === 'authorized_user') {
    const grant = {
      grant_type: 'refresh_token',
      client_id: field(fields, 'client_id'),
      client_secret: field(fields, 'client_secret'),
      refresh_token: field(fields, 'refresh_token'),
    };
    return formRequest(endpoint, grant, provider.trust);
  }
  throw new Error('the credential is neither a service account nor user credentials (its `type` says which it is)');
}

function sign(fields: Record<string, unknown>, audience: string, nowS: number): string {
  const header = { alg: 'RS256', typ: 'JWT', ...(fields.private_key_id ? { kid: fields.private_key_id } : {}) };
  const claims = { iss: field(fields, 'client_email'), scope, aud: audience, iat: nowS, exp: nowS + assertionS };
  const signed = `${base64url(header)}.${base64url(claims)}`;
  const privateKey = field(fields, 'private_key');
  try {
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url')}`;
  } catch {
    throw new Error('the private key of the service account cannot be read');
  }
}

function formRequest(endpoint: string, form: Record<string, string>, trust: Provider['trust']): TokenRequest {
  const url = URL.parse(endpoint);
  if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && trust === 'config'))
    throw new Error('the `token_uri` of the credential is not an https address');
  return {
    method: 'POST',
    origin: url.origin,
    path: url.pathname + url.search,
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: new URLSearchParams(form).toString(),
    timeouts,
    trust,
  };
}

/** By address, not by name: a name could be answered with any address. */
function metadataRequest(): TokenRequest {
  return {
    method: 'GET',
    origin: 'http://169.254.169.254',
    path: `/computeMetadata/v1/instance/service-accounts/default/token?scopes=${encodeURIComponent(scope)}`,
    headers: { 'metadata-flavor': 'Google', accept: 'application/json' },
    body: '',
    timeouts,
    trust: 'metadata',
  };
}

function parse(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>;
  } catch {
    // Said below, without the text: it is a secret.
  }
  throw new Error('the credential is not the JSON of a Google credential file');
}

function field(fields: Record<string, unknown>, name: string, otherwise?: string): string {
  const value = fields[name] ?? otherwise;
  if (typeof value === 'string' && value !== '') return value;
  throw new Error(`the credential has no \`${name}\``);
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
}
