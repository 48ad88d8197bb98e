// What the scope of a budget names, held against what there is: a slip in a name is a limit that limits nobody.

import { Refusal } from '../exchange/refusal.ts';
import { splitScope } from '../exchange/scope.ts';
import { scopeOf } from '../identify/units.ts';
import type { AdminParts } from './parts.ts';

/** Throws `invalid_request` for a key that is not there. Ids of keys are made here: nobody will come by that one later. */
export function refuseUnknownKey(scope: string, { identify }: AdminParts): void {
  const [kind, name = ''] = splitScope(scope);
  if (kind !== 'key' || name.endsWith('*')) return;
  const keys = identify.list();
  if (keys.some(({ id }) => id === name)) return;
  const called = keys.filter((key) => key.name === name).map(({ id }) => `key:${id}`);
  const hint = called.length > 0 ? `"${name}" is the name of ${called.join(', ')}` : 'tollgate key list has the ids';
  throw new Refusal('invalid_request', `There is no key with the id ${JSON.stringify(name)}; ${hint}.`, {
    param: 'scope',
  });
}

/**
 * What a scope names and nobody has made so far; undefined where it is there, or comes with a request (a run, a tag, an
 * end user). No fault: a limit may be written before its team is.
 */
export function notThereYet(scope: string, { identify, snapshot }: AdminParts): string | undefined {
  const [kind, name = ''] = splitScope(scope);
  if (name === '' || name.endsWith('*')) return undefined;
  if (kind === 'provider' || kind === 'model') {
    const { providers } = snapshot();
    const provider = name.split('/')[0] ?? '';
    if (providers.has(provider)) return undefined;
    return `no provider ${provider} is configured (${[...providers.keys()].join(', ')}): this limits nobody until it is.`;
  }
  if (kind !== 'org' && kind !== 'team' && kind !== 'user' && kind !== 'service') return undefined;
  if (identify.units().some((unit) => scopeOf(unit) === scope)) return undefined;
  return `there is no ${kind} ${name} yet: this limits nobody until there is.`;
}
