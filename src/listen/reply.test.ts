import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import type { InboundReply } from '../world/world.ts';
import { OpenReply } from './reply.ts';

test('all replies share one hidden class, so that none outlives its exchange in the old generation', () => {
  setFlagsFromString('--allow-natives-syntax');
  const haveSameMap = new Function('one', 'other', 'return %HaveSameMap(one, other)') as (...two: object[]) => boolean;
  const open = (): OpenReply => new OpenReply(new EventEmitter() as unknown as InboundReply, () => false);
  const early = open();
  for (let count = 0; count < 100; count++) open();
  assert.ok(haveSameMap(early, open()));
});
