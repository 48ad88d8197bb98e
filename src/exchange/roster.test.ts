import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRoster, type Listed } from './roster.ts';

test('a roster holds what a set would hold, whatever comes and goes', () => {
  const step = fc.record({ which: fc.nat({ max: 7 }), comes: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const people = Array.from({ length: 8 }, (): Listed => ({ seat: -1 }));
      const roster = createRoster<Listed>();
      const set = new Set<Listed>();
      for (const { which, comes } of steps) {
        const person = people[which];
        if (person === undefined) continue;
        if (comes) {
          roster.add(person);
          set.add(person);
        } else {
          roster.remove(person);
          set.delete(person);
        }
        assert.deepEqual(new Set(roster.list()), set);
        assert.equal(roster.size, set.size);
        assert.equal(roster.has(person), set.has(person));
      }
    }),
    { seed: 1 },
  );
});

test('who is removed during a sweep does not hide another from it', () => {
  const roster = createRoster<Listed>();
  for (let count = 0; count < 5; count++) roster.add({ seat: -1 });
  let met = 0;
  for (const member of roster.list()) {
    met++;
    roster.remove(member);
  }
  assert.deepEqual([met, roster.size], [5, 0]);
});
