import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lastValue, member, members, setMember, splice } from './json-span.ts';

test('every member of a random object is found where it stands', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 8 }),
      fc.constantFrom(undefined, 1, '\t'),
      (value, indent) => {
        const bytes = Buffer.from(JSON.stringify(value, undefined, indent));
        const list = members(bytes);
        assert.deepEqual(
          list.map((each) => each.key),
          Object.keys(value),
        );
        for (const each of list) {
          assert.deepEqual(
            JSON.parse(bytes.toString('utf8', each.from, each.to)),
            JSON.parse(JSON.stringify((value as Record<string, unknown>)[each.key])),
          );
        }
      },
    ),
    { seed: 7, numRuns: 2000 },
  );
});

test('long strings full of backslashes and quotes are leapt over exactly', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('\\', '"', 'a', 'é', '\n', '{', '}'), { maxLength: 120 }), (letters) => {
      const text = letters.join('');
      const bytes = Buffer.from(JSON.stringify({ text, after: 1 }));
      const after = member(members(bytes), 'after');
      assert.ok(after);
      assert.equal(bytes.toString('utf8', after.from, after.to), '1');
    }),
    { seed: 11, numRuns: 5000 },
  );
});

test('a duplicate and an escaped key are seen', () => {
  const list = members(Buffer.from('{"model":"a","mod\\u0065l":"b","x":{"model":1}}'));
  assert.deepEqual(
    list.map((each) => [each.key, each.escaped]),
    [
      ['model', false],
      ['model', true],
      ['x', false],
    ],
  );
});

test('splice replaces and adds, and leaves every other byte', () => {
  const bytes = Buffer.from(' { "model" : "a" , "keep" : 1.50e1 }');
  const list = members(bytes);
  const edited = splice(bytes, [setMember(bytes, list, 0, 'model', '"b"'), setMember(bytes, list, 0, 'new', 'true')]);
  assert.equal(edited.toString(), ' {"new":true, "model" : "b" , "keep" : 1.50e1 }');
});

test('the last value of a name is the one that a walk from the front finds, or none is', () => {
  const name = Buffer.from('"usage"');
  const key = fc.constantFrom('usage', 'a', 'choices', 'usage"', ',"usage', '{"usage":1}');
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      key,
      fc.integer(),
      fc.dictionary(key, tie('any'), { maxKeys: 4 }),
      fc.array(tie('any'), { maxLength: 3 }),
    ),
  })).any;
  let found = 0;
  fc.assert(
    fc.property(fc.dictionary(key, value, { maxKeys: 6 }), fc.constantFrom(undefined, 1, '\t'), (made, indent) => {
      const bytes = Buffer.from(`${JSON.stringify(made, undefined, indent)}\n`);
      const from = lastValue(bytes, name);
      if (from === undefined) return;
      found += 1;
      assert.equal(from, member(members(bytes), 'usage')?.from);
    }),
    { seed: 13, numRuns: 5000 },
  );
  assert.ok(found > 500, `${found}`);
});
