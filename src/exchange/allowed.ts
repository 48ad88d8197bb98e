// Whether a caller may use a model: one reading of a key's list for aliases, named targets and lists of models alike.

import type { Caller } from './caller.ts';

/** True where the list is empty or one of the names is on it. A pattern may end in `*`. */
export function allowed(caller: Pick<Caller, 'allowedModels'>, names: readonly string[]): boolean {
  const { allowedModels } = caller;
  return (
    allowedModels.length === 0 || allowedModels.some((pattern) => names.some((name) => matchesPattern(pattern, name)))
  );
}

function matchesPattern(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}
