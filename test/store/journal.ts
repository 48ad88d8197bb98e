// Cases of the contract: the journal is read whole, once, whatever happens to it.

import assert from 'node:assert/strict';
import { appendFileSync, truncateSync, writeFileSync } from 'node:fs';
import { receipt } from '../ledger.ts';
import { bytesOf, type Cases, noon, total } from './kit.ts';

export const journalCases: Cases = {
  async 'what is in the journal is in the store, once, whoever reads it again'({ segment, open }) {
    const some = Array.from({ length: 500 }, (_, index) =>
      receipt(`r${String(index).padStart(4, '0')}`, index, { at: noon + index }),
    );
    writeFileSync(segment(1), bytesOf(...some.slice(0, 300)));
    writeFileSync(segment(2), bytesOf(...some.slice(300)));
    const store = await open();
    const sum = some.reduce((all, each) => all + each.cost, 0);
    assert.equal(await total(store), sum);
    assert.deepEqual(await store.receipt('r0007'), some[7]);
    await store.close();
    appendFileSync(segment(2), bytesOf(...some.slice(0, 50), receipt('s', 1000, { at: noon })));
    const again = await open();
    assert.equal(await total(again), sum + 1000);
    assert.equal((await again.costs({})).totals.requests, 501);
  },

  async 'a journal cut anywhere in its last row is waited for, then read whole'({ segment, open }) {
    const last = bytesOf(receipt('b', 7, { at: noon }));
    const store = await open();
    writeFileSync(segment(1), bytesOf(receipt('a', 5, { at: noon })));
    for (let at = 0; at < last.length; at += 7) {
      assert.equal(await total(store), 5, `with ${at} bytes`);
      appendFileSync(segment(1), last.subarray(at, at + 7));
    }
    assert.equal(await total(store), 12);
  },

  async 'a torn tail before a new segment, and damage in the middle, do not stop the reader'({ segment, open }) {
    const [first, broken, third] = [bytesOf(receipt('a', 1)), bytesOf(receipt('b', 10)), bytesOf(receipt('c', 100))];
    broken[30] = (broken[30] ?? 0) ^ 1;
    writeFileSync(segment(1), Buffer.concat([first, broken, third, first.subarray(0, 40)]));
    writeFileSync(segment(2), bytesOf(receipt('d', 1000)));
    assert.equal(await total(await open()), 1101);
  },

  async 'a journal that lost its end to a power cut and grew again is read from its segment on'({ segment, open }) {
    writeFileSync(segment(1), bytesOf(receipt('a', 1), receipt('b', 10)));
    const store = await open();
    assert.equal(await total(store), 11);
    await store.close();
    truncateSync(segment(1), bytesOf(receipt('a', 1)).length);
    appendFileSync(segment(1), bytesOf(receipt('a much longer one', 100), receipt('d', 1000)));
    assert.equal(await total(await open()), 1111);
  },

  async 'new rows are brought in without being asked for'({ segment, open }) {
    const store = await open();
    writeFileSync(segment(1), bytesOf(receipt('a', 1)));
    while (!(await store.receipt('a'))) await new Promise((resolve) => setImmediate(resolve));
  },
};
