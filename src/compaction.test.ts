import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock, quiet } from '../test/ledger.ts';
import { compact, compactOften } from './compaction.ts';

const dayMs = 86_400_000;

function parts(catchUp: () => Promise<{ cursor: { segment: string; offset: number } }>) {
  const asked: [string, number][] = [];
  const told: string[] = [];
  const log = {
    ...quiet,
    info: (event: string) => void told.push(event),
    warn: (event: string) => void told.push(event),
  };
  const journal = {
    compact: async (upTo: string, before: number) => {
      asked.push([upTo, before]);
      return ['000000000001.journal'];
    },
  };
  return {
    asked,
    told,
    given: { store: { catchUp }, journal, keepMs: 30 * dayMs, clock: manualClock(100 * dayMs), log },
  };
}

test('the journal is compacted up to where its reader stands, and by its age', async () => {
  const { asked, told, given } = parts(async () => ({ cursor: { segment: '000000000007.journal', offset: 9 } }));
  assert.deepEqual(await compact(given), ['000000000001.journal']);
  assert.deepEqual(asked, [['000000000007.journal', 70 * dayMs]]);
  assert.deepEqual(told, ['journal_compacted']);
  const stop = compactOften(given);
  given.clock.pass(3_600_000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(asked.length, 2);
  stop();
  given.clock.pass(3_600_000);
  assert.equal(asked.length, 2);
});

test('nothing is removed while the reader is away', async () => {
  const { asked, told, given } = parts(() => Promise.reject(new Error('the database does not answer')));
  assert.deepEqual(await compact(given), []);
  assert.deepEqual([asked, told], [[], ['journal_not_compacted']]);
});
