// Random lives of instances on one bank, held against what the rules say: answers lost, calls doubled and late, crashes.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Bank, SliceWant } from '../../src/exchange/bank.ts';
import { want } from './kit.ts';
import { type Member, member, unique } from './member.ts';

const instances = 4;
const purses = 3;

const who = fc.nat({ max: instances - 1 });
const which = fc.nat({ max: purses - 1 });
const amount = fc.oneof(fc.nat({ max: 400 }), fc.constant(0), fc.nat({ max: 2000 }));
const asked = fc.record({ purse: which, need: amount, wish: amount });

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('ask'),
      who,
      wants: fc.uniqueArray(asked, { maxLength: purses, selector: ({ purse }) => purse }),
      lost: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('spend'),
      who,
      purse: which,
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('give back'),
      who,
      purse: which,
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('overspend'), who, purse: which, by: fc.nat({ max: 50 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('double'), who }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('late'), who, purse: which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash'), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('limit'), purse: which, limit: fc.nat({ max: 3000 }) }) },
);

type Step = typeof step extends fc.Arbitrary<infer Each> ? Each : never;

interface Life {
  readonly member: Member;
  /** What it believes to have, and has spent, of each purse. */
  readonly have: number[];
  readonly posted: number[];
  /** What the bank must believe that it has. */
  readonly known: number[];
  /** What it last told of its posted. */
  readonly told: number[];
  last: SliceWant[];
}

/** As the rules are written down, not as they are built. */
function expectedGrant(wanted: SliceWant, left: number, count: number): number {
  if (left <= 0) return 0;
  const wish = Math.min(wanted.wish, Math.floor(left / (2 * count)));
  return Math.min(left, wish > wanted.need ? wish : wanted.need);
}

/** Rejects with the shrunk counterexample. */
export async function checkRandomLives(ports: readonly Bank[], runs: number, seed?: number): Promise<void> {
  const property = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => live(ports, steps));
  await fc.assert(property, { numRuns: runs, ...(seed !== undefined && { seed }), endOnFailure: true });
}

async function live(ports: readonly Bank[], steps: readonly Step[]): Promise<void> {
  const scopes = Array.from({ length: purses }, () => unique('key'));
  const limits = scopes.map(() => 1000);
  const zeros = (): number[] => scopes.map(() => 0);
  const lives: Life[] = await Promise.all(
    Array.from({ length: instances }, async (_, index) => {
      const port = ports[index];
      if (!port) throw new Error('too few ports');
      return {
        member: await member(port, unique('life')),
        have: zeros(),
        posted: zeros(),
        known: zeros(),
        told: zeros(),
        last: [],
      };
    }),
  );
  const at = (list: readonly number[], index: number): number => list[index] ?? 0;
  const given = (purse: number): number => lives.reduce((sum, life) => sum + at(life.known, purse), 0);
  const wantOf = (life: Life, purse: number, need: number, wish: number): SliceWant => {
    const fields = { limit: at(limits, purse), have: at(life.have, purse), posted: at(life.posted, purse), need, wish };
    return want(scopes[purse] ?? '', fields);
  };

  for (const each of steps) {
    if (each.kind === 'limit') {
      limits[each.purse] = each.limit;
      continue;
    }
    const life = lives[each.who];
    if (!life) throw new Error('no such instance');
    if (each.kind === 'ask') {
      life.last = each.wants.map(({ purse, need, wish }) => wantOf(life, purse, need, wish));
      const answer = await life.member.ask(...life.last);
      for (const [index, { purse }] of each.wants.entries()) {
        const wanted: SliceWant | undefined = life.last[index];
        const slice = answer.slices[index];
        assert.ok(wanted && slice);
        life.known[purse] = wanted.have;
        const more = expectedGrant(wanted, wanted.limit - given(purse), answer.instances);
        life.known[purse] = wanted.have + more;
        life.told[purse] = wanted.posted;
        assert.equal(slice.have, wanted.have + more);
        assert.equal(slice.available, Math.max(0, wanted.limit - given(purse)));
        assert.equal(
          slice.posted,
          lives.reduce((sum, other) => sum + at(other.told, purse), 0),
        );
        assert.ok(more === 0 || given(purse) <= wanted.limit, 'granted past the limit');
        if (!each.lost) life.have[purse] = slice.have;
      }
    } else if (each.kind === 'spend') {
      life.posted[each.purse] =
        at(life.posted, each.purse) +
        Math.floor((at(life.have, each.purse) - at(life.posted, each.purse)) * each.share);
    } else if (each.kind === 'give back') {
      life.have[each.purse] =
        at(life.posted, each.purse) +
        Math.floor((at(life.have, each.purse) - at(life.posted, each.purse)) * each.share);
    } else if (each.kind === 'overspend') {
      life.posted[each.purse] = at(life.have, each.purse) + each.by;
      life.have[each.purse] = at(life.posted, each.purse);
    } else if (each.kind === 'crash') {
      // What it held is lost with it; what it posted is in its journal.
      life.have.splice(0, purses, ...life.posted);
      await life.member.enter(...scopes.map((_, purse) => wantOf(life, purse, 0, 0)));
      life.known.splice(0, purses, ...life.have);
      life.told.splice(0, purses, ...life.posted);
      life.last = [];
    } else {
      const { name, number } = life.member;
      if (each.kind === 'late') {
        const wants = [{ ...wantOf(life, each.purse, 5000, 5000), have: 0, posted: 0 }];
        await assert.rejects(life.member.bank.exchange({ instance: name, number: number - 1, wants }), /newer call/);
        continue;
      }
      const again = await life.member.bank.exchange({ instance: name, number, wants: life.last });
      for (const slice of again.slices) assert.equal(slice.have, at(life.known, scopes.indexOf(slice.scope)));
    }
  }
}
