// Counting in a worker: right, bounded whatever the text, and off the loop.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTokenizer } from './tokenizer.ts';

const tokenizer = createTokenizer();

before(async () => {
  // The first count waits for the vocabulary.
  assert.equal(await tokenizer.count('hello world', 'o200k_base', 5000), 2);
});

after(() => tokenizer.close());

test('counts are those of the vocabulary, words of a protocol included', async () => {
  assert.equal(await tokenizer.count('', 'o200k_base', 5000), 0);
  assert.equal(await tokenizer.count('Hello, world.', 'o200k_base', 5000), 4);
  // Read as text: a client that writes it must not make a count fail.
  assert.equal(await tokenizer.count('<|endoftext|>', 'o200k_base', 5000), 7);
  assert.equal(await tokenizer.count('hello world', 'cl100k_base', 5000), 2);
});

for (const [name, unit] of [
  ['one letter', 'x'],
  ['one character of three bytes', '中'],
  ['underscores', '_'],
  ['no blank anywhere', 'aB3+9zQ/'],
] as const) {
  test(`H5, H6: 1 MB of ${name} ends at its bound, and the loop turns meanwhile`, async () => {
    let turns = 0;
    let counting = true;
    const turn = (): void => {
      turns++;
      if (counting) setImmediate(turn);
    };
    setImmediate(turn);
    const tokens = await tokenizer.count(unit.repeat(1_000_000 / unit.length), 'o200k_base', 20);
    counting = false;
    assert.ok(tokens === undefined || tokens > 0);
    assert.ok(turns > 1, `${turns} turns`);
    // The worker has not hung on to it: the next question has its answer.
    assert.equal(await tokenizer.count('hello world', 'o200k_base', 5000), 2);
  });
}

test('a piece never ends inside a character', async () => {
  const faces = '😀'.repeat(2000);
  const all = await tokenizer.count(`a${faces}`, 'o200k_base', 5000);
  assert.ok(all !== undefined && all <= 2 * 2000 + 20, `${all}`);
});

test('a vocabulary that nobody asked for before is waited for once, and its first count has no less time', async () => {
  const own = createTokenizer();
  const text = 'A stream that has money is not cut for want of a count. '.repeat(200);
  const first = await own.count(text, 'o200k_base', 20);
  const second = await own.count(text, 'cl100k_base', 20);
  await own.close();
  assert.deepEqual([first, second], [2801, 2801]);
});

test('more questions than it may keep are answered at once, and so is one after its end', async () => {
  const many = Array.from({ length: 80 }, () => tokenizer.count('x'.repeat(20_000), 'o200k_base', 5000));
  const answers = await Promise.all(many);
  assert.equal(answers.filter((each) => each === undefined).length, 16);
  const own = createTokenizer();
  await own.close();
  assert.equal(await own.count('x', 'o200k_base', 20), undefined);
});
