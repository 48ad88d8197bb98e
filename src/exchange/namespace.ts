// Where the names that clients give themselves live: under their key's team, so that nobody exhausts another's run.

import type { Caller } from './caller.ts';

/** `team:search` for a key of that team or of one of its users, else the key itself. Neither has a slash in it. */
export function namespaceOf({ keyId, scopes }: Pick<Caller, 'keyId' | 'scopes'>): string {
  return scopes.find((scope) => scope.startsWith('team:')) ?? `key:${keyId}`;
}

/** Takes `team:search/run:nightly` apart; undefined for a scope that nobody claimed. */
export function splitClaim(scope: string): { readonly namespace: string; readonly claim: string } | undefined {
  if (!scope.startsWith('team:') && !scope.startsWith('key:')) return undefined;
  const slash = scope.indexOf('/');
  return slash < 0 ? undefined : { namespace: scope.slice(0, slash), claim: scope.slice(slash + 1) };
}
