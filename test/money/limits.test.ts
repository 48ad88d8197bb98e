// Output limits and money: a model that keeps the limit it is given ends by it, one that does not is paid for what it takes.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startBooks } from './kit.ts';

const books = await startBooks();
const { keyWith, ask, receiptOf } = books;
after(books.close);

const nano = (usd: number): number => Math.round(usd * 1e9);

test('what is clamped to its money ends whole at its limit, in every format, whatever the estimate of its text is', async () => {
  for (const model of ['chat/keeps-5000', 'messages/keeps-5000', 'gemini/keeps-5000', 'openai/keeps-5000']) {
    for (const usd of ['0.0008', '0.0015', '0.0024', '0.0035']) {
      const key = await keyWith(`${usd} USD`);
      const { status, text, id, dropped } = await ask(key, model);
      assert.equal(status, 200, text);
      assert.match(dropped ?? '', /output limit \(\d+ by budget\)/);
      const receipt = receiptOf(id);
      assert.equal(receipt.ending, 'completed', `${model} on ${usd}: ${text.slice(-300)}`);
      assert.ok(receipt.cost <= nano(Number(usd)), `${model}: ${receipt.cost} of ${usd}`);
      assert.ok(receipt.cost >= nano(Number(usd)) * 0.6, `${model}: ${receipt.cost} of ${usd}`);
    }
  }
});

test('whole answers of a model that keeps no limit hold what its answers take, once that is known', async () => {
  const more = { stream: false, max_tokens: 10 };
  const rich = await keyWith('5 USD');
  for (let each = 0; each < 4; each++) await ask(rich, 'chat/says-300', more);
  const poor = await keyWith('0.10 USD');
  const all = await Promise.all(Array.from({ length: 50 }, () => ask(poor, 'chat/says-300', more)));
  const served = all.filter(({ status }) => status === 200);
  const spent = served.reduce((sum, { id }) => sum + receiptOf(id).cost, 0);
  assert.ok(spent <= nano(0.1), `${spent}`);
  // 512 tokens are held of each while so little is left: twelve fit at once, and others once the first have ended.
  assert.ok(served.length >= 12, `${served.length} served`);
  for (const { status } of all) assert.ok(status === 200 || status === 402, `${status}`);
});
