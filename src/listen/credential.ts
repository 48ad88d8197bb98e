// Finds the caller's credential wherever its SDK puts it. One rule for all places, so that none of them is weaker.

import { queryValue } from './surfaces.ts';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** The bare credential, or undefined where there is none. The first place that has one wins. */
export function findCredential(headers: Headers, query: string): string | undefined {
  const authorization = single(headers.authorization);
  if (authorization !== undefined) {
    if (authorization.startsWith('Bearer ') && !authorization.includes(' ', 7)) return authorization.slice(7);
    const bearer = /^Bearer +(\S+) *$/i.exec(authorization);
    return bearer ? bearer[1] : '';
  }
  return (
    single(headers['x-api-key']) ??
    single(headers['x-goog-api-key']) ??
    single(headers['api-key']) ??
    (query === '' ? undefined : queryValue(query, 'key'))
  );
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
