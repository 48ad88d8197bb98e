import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killMany } from './kill.ts';

test('killed at random moments under load, every end that a client saw is in the books once, and no money is lost', async () => {
  const result = await killMany({ times: 15, seed: 20_260_101, clients: 20 });
  assert.equal(result.kills, 15);
  // The load was real: most kills hit exchanges midway, and clients saw ends in between.
  assert.ok(result.midway >= 10, `only ${result.midway} kills left a hold open`);
  assert.ok(result.seen >= 15, `only ${result.seen} exchanges were seen to end`);
});
