import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClaimRules } from '../exchange/caller.ts';
import { Refusal } from '../exchange/refusal.ts';
import { labelsOf, readClaims, type Said } from './claims.ts';

const said: Said = { run: 'nightly', tags: { feature: 'search', team: 'a' }, endUser: 'zoe' };
const scopesOf = (what: Said, claims?: ClaimRules): string[] =>
  readClaims(what, claims ? { claims } : {}).scopes.map(({ scope }) => scope);

test('every name is a scope of its own', () => {
  assert.deepEqual(scopesOf(said), ['run:nightly', 'tag:feature=search', 'tag:team=a', 'end_user:zoe']);
  assert.deepEqual(scopesOf({ tags: {} }), []);
});

test('what a key pins holds whatever the request says', () => {
  const pin = { run: 'r', end_user: 'ann', tag: { team: 'b' } };
  assert.deepEqual(scopesOf(said, { pin }), ['run:r', 'tag:feature=search', 'tag:team=b', 'end_user:ann']);
  assert.deepEqual(scopesOf({ tags: {} }, { pin }), ['run:r', 'tag:team=b', 'end_user:ann']);
  assert.deepEqual(labelsOf(readClaims(said, { claims: { pin } }), { agent: 'coder' }), {
    feature: 'search',
    team: 'b',
    agent: 'coder',
    run: 'r',
    end_user: 'ann',
  });
});

test('what a key forbids is refused when it is named, and only then', () => {
  for (const [kind, without] of [
    ['run', { ...said, run: undefined }],
    ['tag', { ...said, tags: {} }],
    ['end_user', { ...said, endUser: undefined }],
  ] as const) {
    const rules: ClaimRules = { forbid: [kind] };
    assert.throws(
      () => scopesOf(said, rules),
      (error) => error instanceof Refusal && error.refusal === 'not_allowed',
    );
    assert.ok(scopesOf(without, rules).length > 0);
    const pinned: ClaimRules = { forbid: ['run', 'tag', 'end_user'], pin: { run: 'r' } };
    assert.deepEqual(scopesOf({ tags: {} }, pinned), ['run:r']);
  }
});

test('names that cannot be seen, or are long, are refused: a limit must not hide behind them', () => {
  for (const wrong of ['', '  ', 'a\nb', 'a\u0000', 'zero\u200bwidth', 'x'.repeat(257), '\u202eabc']) {
    for (const what of [
      { ...said, run: wrong },
      { ...said, endUser: wrong },
      { ...said, tags: { feature: wrong } },
    ])
      assert.throws(
        () => scopesOf(what),
        (error) => error instanceof Refusal && error.refusal === 'invalid_request',
        JSON.stringify(wrong),
      );
  }
  assert.deepEqual(scopesOf({ tags: {}, endUser: ' Zoë Müller ' }), ['end_user:Zoë Müller']);
});
