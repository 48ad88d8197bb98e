import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scopeProblem } from './scope.ts';

test('every kind of scope, for one and for each one', () => {
  for (const scope of [
    'global',
    'org:acme',
    'team:search',
    'team:*',
    'user:ann@acme.com',
    'service:ci@acme.com',
    'service:*',
    'key:k1',
    'key:*',
    'end_user:Zoë Müller',
    'end_user:*',
    'tag:team=a',
    'tag:team=*',
    'tag:*',
    'tag:team*',
    'run:nightly 7',
    'run:night*',
    'model:openai/gpt-4o',
    'model:openai/ft:gpt-4o:acme/x',
    'model:openai/*',
    'model:*',
    'provider:openai',
    'provider:*',
  ])
    assert.equal(scopeProblem(scope), undefined, scope);
});

test('what is no scope says what would be one', () => {
  const table: [string, RegExp][] = [
    ['globe', /unknown kind of scope; known: global, org/],
    ['global:x', /stands alone/],
    ['team', /must be team:NAME for one, or team:\* for each one/],
    ['team:', /must be team:NAME/],
    ['team:*x', /must be team:NAME/],
    ['team:a/b', /must be team:ID/],
    ['key:a b', /must be key:ID/],
    ['user:ann smith', /must be user:NAME such as/],
    ['run:\u0007', /can be seen/],
    [`end_user:${'x'.repeat(300)}`, /up to 256 characters/],
    ['tag:team', /tag:NAME=VALUE/],
    ['tag:=a', /tag:NAME=VALUE/],
    ['tag:a b=c', /tag:NAME=VALUE/],
    ['model:gpt-4o', /model:PROVIDER\/MODEL/],
    ['model:openai/', /model:PROVIDER\/MODEL/],
    ['provider:a b', /provider:NAME/],
  ];
  for (const [scope, message] of table) assert.match(scopeProblem(scope)?.message ?? '', message, scope);
});
