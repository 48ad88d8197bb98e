// Organisations, teams, users and service identities: who stands over whom, and what may not be so.

import type { Unit } from '../exchange/caller.ts';
import { Refusal } from '../exchange/refusal.ts';

/** What each kind may stand under. Every parent is of a kind further up, so that no chain of them can be a circle. */
const parents: Readonly<Record<Unit['kind'], readonly Unit['kind'][]>> = {
  org: [],
  team: ['org'],
  user: ['team', 'org'],
  service: ['team', 'org'],
};

/** How many units an installation may have: their names become accounts. */
const unitsMax = 100_000;

const idOf: Readonly<Record<Unit['kind'], RegExp>> = {
  org: /^[\w.-]{1,64}$/,
  team: /^[\w.-]{1,64}$/,
  user: /^[\w.@+-]{1,128}$/,
  service: /^[\w.@+-]{1,128}$/,
};

export interface Units {
  /** Adds a unit or replaces the one of the same scope. Throws `invalid_request`. */
  add(unit: Unit): void;
  /** Undefined where there is none. Throws `invalid_request` (409) where others stand under it. */
  remove(scope: string): Unit | undefined;
  find(scope: string): Unit | undefined;
  list(): readonly Unit[];
  /** The scope and those above it, nearest first. An owner that is not known stands for itself: its budgets still count. */
  above(scope: string): readonly string[];
  /** The tier of the nearest unit that has one. */
  tierOf(scope: string): string | undefined;
}

export function scopeOf({ kind, id }: Pick<Unit, 'kind' | 'id'>): string {
  return `${kind}:${id}`;
}

export function createUnits(units: readonly Unit[]): Units {
  const byScope = new Map<string, Unit>(units.map((unit) => [scopeOf(unit), unit]));

  const above = (scope: string): string[] => {
    const chain: string[] = [];
    // What is read from a store may be anything; a circle ends here.
    for (let next: string | undefined = scope; next !== undefined && !chain.includes(next); ) {
      chain.push(next);
      next = byScope.get(next)?.parent;
    }
    return chain;
  };

  const check = (unit: Unit): void => {
    const { kind, id, parent } = unit;
    if (!idOf[kind].test(id)) throw wrong('id', `${JSON.stringify(id)} cannot be the id of a ${kind}.`);
    if (byScope.size >= unitsMax && !byScope.has(scopeOf(unit)))
      throw wrong('id', `There are ${unitsMax} units already; remove some.`);
    if (parent === undefined) return;
    if (above(parent).includes(scopeOf(unit)))
      throw wrong('parent', `${parent} stands under ${scopeOf(unit)}: a circle of units would have no top.`);
    if (!parents[kind].some((each) => parent.startsWith(`${each}:`)))
      throw wrong('parent', parents[kind].length === 0 ? `An ${kind} stands under nothing.` : mayStandUnder(kind));
    if (!byScope.has(parent)) throw wrong('parent', `There is no unit ${parent}; make it first.`);
  };

  return {
    above,
    add(unit) {
      check(unit);
      byScope.set(scopeOf(unit), unit);
    },
    remove(scope) {
      const child = [...byScope.values()].find((unit) => unit.parent === scope);
      if (child)
        throw new Refusal('invalid_request', `${scopeOf(child)} stands under ${scope}; move or remove it first.`, {
          status: 409,
        });
      const unit = byScope.get(scope);
      byScope.delete(scope);
      return unit;
    },
    find: (scope) => byScope.get(scope),
    list: () => [...byScope.values()],
    tierOf: (scope) =>
      above(scope)
        .map((each) => byScope.get(each)?.tier)
        .find((tier) => tier !== undefined),
  };
}

function mayStandUnder(kind: Unit['kind']): string {
  return `A ${kind} stands under ${parents[kind].map((each) => `${each}:ID`).join(' or ')}.`;
}

function wrong(param: string, message: string): Refusal {
  return new Refusal('invalid_request', message, { param });
}
