// Whether a caller may use a model: one reading of a key's list for aliases, named targets and lists of models alike.

import type { Caller } from './caller.ts';
import { matches } from './glob.ts';

/** True where the list is empty or one of the names is on it, as it stands or by a pattern with `*`. */
export function allowed(caller: Pick<Caller, 'allowedModels'>, names: readonly string[]): boolean {
  const { allowedModels } = caller;
  return allowedModels.length === 0 || allowedModels.some((pattern) => names.some((name) => matches(pattern, name)));
}
