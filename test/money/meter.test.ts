// Money and the meter over real sockets: who is let in, how much is set aside, when a stream ends, and what is charged.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { inputTokens, okWords } from '../upstream.ts';
import { startBooks } from './kit.ts';

const books = await startBooks();
const { upstream, gateway, keyWith, ask, rows, receiptOf, receiptIn } = books;
after(books.close);

const nano = (usd: number): number => Math.round(usd * 1e9);

test('B1: twenty streams at once without a limit of their own all fit in 5 USD', async () => {
  const key = await keyWith('5 USD');
  const all = await Promise.all(Array.from({ length: 20 }, () => ask(key, 'chat/says-300')));
  assert.deepEqual(
    all.map(({ status }) => status),
    all.map(() => 200),
  );
  for (const { text } of all) assert.ok(text.includes('[DONE]'), text.slice(-300));
});

for (const stream of [true, false]) {
  test(`B2: twenty ${stream ? 'streams' : 'whole answers'} with max_tokens 64,000 at 15 USD a million are not refused at 5 USD`, async () => {
    const key = await keyWith('5 USD');
    const more = { stream, max_tokens: 64_000 };
    const all = await Promise.all(Array.from({ length: 20 }, () => ask(key, 'chat/says-300', more)));
    assert.deepEqual(
      all.map(({ status }) => status),
      all.map(() => 200),
    );
    const costs = all.map(({ id }) => receiptOf(id).cost);
    assert.deepEqual(
      costs,
      costs.map(() => inputTokens * 3_000 + 300 * 15_000),
    );
  });
}

test('a whole answer has no more than its share of what is left, and the header says so', async () => {
  const key = await keyWith('0.32 USD');
  const { status, dropped, id } = await ask(key, 'chat/says-20', { stream: false, max_tokens: 64_000 });
  assert.equal(status, 200);
  const [, limit] = /output limit \((\d+) by budget\)/.exec(dropped ?? '') ?? [];
  const sent = JSON.parse(upstream.calls.at(-1)?.body ?? '') as { max_tokens: number };
  assert.equal(String(sent.max_tokens), limit);
  assert.ok(sent.max_tokens * 15_000 <= nano(0.01), `${limit} tokens`);
  assert.ok(sent.max_tokens >= 256);
  assert.ok(receiptOf(id).dropped.some((each) => each.includes('by budget')));
});

test('a limit that the money covers is left as it is', async () => {
  const key = await keyWith('5 USD');
  const { dropped } = await ask(key, 'chat/says-20', { stream: false, max_tokens: 500 });
  assert.equal(dropped, null);
  assert.equal((JSON.parse(upstream.calls.at(-1)?.body ?? '') as { max_tokens: number }).max_tokens, 500);
});

test('a stream that gets less than its first hold is clamped to it; below 16 tokens it is refused', async () => {
  // 100 tokens of output and the prompt.
  const key = await keyWith('0.0018 USD');
  const { status, dropped } = await ask(key, 'chat/says-20');
  assert.equal(status, 200);
  const [, limit] = /output limit \((\d+) by budget\)/.exec(dropped ?? '') ?? [];
  assert.ok(Number(limit) >= 16 && Number(limit) < 120, `${limit}`);
  const poor = await keyWith('0.0002 USD');
  const refused = await ask(poor, 'chat/says-20');
  assert.equal(refused.status, 402);
});

test('A20: with 0.10 USD left, a stream worth far more ends in its protocol, and costs no more', async () => {
  const key = await keyWith('0.10 USD');
  const { text, id } = await ask(key, 'openai/gpt-endless');
  assert.ok(text.includes('budget_exceeded'), text.slice(-400));
  const receipt = receiptOf(id);
  assert.equal(receipt.ending, 'cut');
  // What one read brought in behind the cut was billed too: the mark covers it at any speed that a model has.
  assert.ok(receipt.cost <= nano(0.1) + 64 * 15_000, `${receipt.cost}`);
  const words = text.split('"content":"').length - 1;
  assert.ok(words * 15_000 <= nano(0.1), `${words} words were delivered`);
  // The rest of the money is not left lying: the estimate is counted again before the cut.
  assert.ok(words * 15_000 >= nano(0.09), `${words} words were delivered`);
});

test('a long stream takes its money in growing steps, and none of it is left held', async () => {
  const key = await keyWith('5 USD');
  const { id, text } = await ask(key, 'chat/says-20000');
  assert.ok(text.includes('[DONE]'));
  const steps = rows().filter((row) => row.type === 'adjust' && row.id === id);
  assert.ok(steps.length >= 2 && steps.length <= 20, `${steps.length} steps`);
});

test('a stream whose provider passes the limit is not cut while there is money, and goes on in growing steps', async () => {
  const key = await keyWith('100 USD');
  for (const limit of [64, 100, 777, 1024]) {
    const { id, text } = await ask(key, 'chat/says-20000', { max_tokens: limit });
    assert.ok(text.includes('[DONE]'), `limit ${limit}: ${text.slice(-300)}`);
    const steps = rows().filter((row) => row.type === 'adjust' && row.id === id);
    assert.ok(steps.length <= 20, `limit ${limit}: ${steps.length} steps`);
  }
});

for (const model of ['chat/says-8-thinks-355987', 'gemini/says-8-thinks-355987']) {
  test(`A16: thoughts forty times over the limit are settled as they are, and the next request is refused (${model})`, async () => {
    const key = await keyWith('1 USD');
    const { id, status, text } = await ask(key, model, { max_tokens: 8_000 });
    assert.equal(status, 200);
    assert.ok(text.includes('[DONE]'), text.slice(-300));
    const { cost, estimated } = receiptOf(id);
    assert.equal(cost, inputTokens * 3_000 + (8 + 355_987) * 15_000);
    assert.equal(estimated, false);
    const next = await ask(key, model, { max_tokens: 8_000 });
    assert.equal(next.status, 402);
  });
}

interface Thought {
  readonly max_tokens: number;
  readonly thinking?: { readonly type: string; readonly budget_tokens: number };
}

test('limit and thinking budget are clamped together, and below the provider’s floor the answer is 402', async () => {
  const body = { max_tokens: 30_000, thinking: { type: 'enabled', budget_tokens: 20_000 }, stream: false };
  const clamped = await ask(await keyWith('1 USD'), 'messages/says-8', body, '/v1/messages');
  assert.equal(clamped.status, 200);
  const sent = JSON.parse(upstream.calls.at(-1)?.body ?? '') as Thought;
  // A 32nd of a dollar is 2,083 tokens.
  assert.ok(sent.max_tokens > 1900 && sent.max_tokens <= 2083, `${sent.max_tokens}`);
  const budget = sent.thinking?.budget_tokens ?? 0;
  assert.ok(budget >= 1024 && budget <= sent.max_tokens * 0.75, `${budget}`);
  assert.equal(sent.thinking?.type, 'enabled');
  const calls = upstream.calls.length;
  const refused = await ask(await keyWith('0.012 USD'), 'messages/says-8', body, '/v1/messages');
  assert.equal(refused.status, 402);
  assert.equal(upstream.calls.length, calls);
});

test('across formats, too: a clamp reaches the thinking of a Gemini model', async () => {
  const body = { max_tokens: 30_000, thinking: { type: 'enabled', budget_tokens: 20_000 }, stream: false };
  const { status } = await ask(await keyWith('1 USD'), 'gemini/gemini-2.5-pro', body, '/v1/messages');
  assert.equal(status, 200);
  const { generationConfig } = JSON.parse(upstream.calls.at(-1)?.body ?? '') as {
    generationConfig: { maxOutputTokens: number; thinkingConfig: { thinkingBudget: number } };
  };
  assert.ok(generationConfig.maxOutputTokens <= 2083);
  assert.ok(generationConfig.thinkingConfig.thinkingBudget <= generationConfig.maxOutputTokens * 0.75);
});

test('C5: every charge is the price of its tokens', () => {
  let charges = 0;
  for (const row of rows()) {
    if (row.type !== 'receipt') continue;
    let sum = 0;
    for (const { usage, cost } of row.receipt.charges) {
      charges++;
      sum += cost;
      assert.equal(cost, (usage.input + usage.cacheRead) * 3_000 + (usage.output + usage.reasoning) * 15_000);
    }
    assert.equal(row.receipt.cost, sum);
  }
  assert.ok(charges > 40);
});

test('C7: an answer without a usage, and one whose client left, are charged for what was delivered', async () => {
  const key = await keyWith('5 USD');
  const { id } = await ask(key, 'chat/no-usage');
  const silent = receiptOf(id);
  assert.equal(silent.estimated, true);
  assert.ok(silent.cost >= inputTokens * 3_000 + okWords.length * 15_000);

  const leaving = new AbortController();
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'chat/slow', stream: true, messages: [{ role: 'user', content: 'Say hello.' }] }),
    signal: leaving.signal,
  });
  const reader = response.body?.getReader();
  await reader?.read();
  const hungUp = upstream.aborts(upstream.calls.filter(({ aborted }) => aborted).length + 1);
  leaving.abort();
  await hungUp;
  const left = await receiptIn(response.headers.get('x-tollgate-request-id') ?? '');
  assert.equal(left.ending, 'cancelled');
  assert.equal(left.estimated, true);
  assert.ok(left.cost >= inputTokens * 3_000 + 2 * 15_000);
});

test('C9: an error inside a stream is no output', async () => {
  const key = await keyWith('5 USD');
  const { id } = await ask(key, 'chat/error-late');
  const [charge] = receiptOf(id).charges;
  assert.ok(charge);
  // Two words of three letters and their error message of thirty-odd.
  assert.ok(charge.usage.output >= 2 && charge.usage.output <= 8, `${charge.usage.output} tokens`);
});
