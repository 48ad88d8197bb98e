import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withDotEnv } from './environment.ts';

test('a .env file adds to the environment and never overrides it', () => {
  const merged = withDotEnv(
    { A: 'own', EMPTY: '', UNSET: undefined },
    '# note\nA=file\nB="two words"\nEMPTY=x\nUNSET=y\nexport C=3\n',
  );
  assert.deepEqual(merged, { A: 'own', B: 'two words', EMPTY: '', UNSET: 'y', C: '3' });
});
