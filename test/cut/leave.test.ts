// Clients that leave, and what is paid then: what was received where hanging up stops the bill, the provider's own usage
// where it does not, each time one receipt.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Format, formats } from '../../src/exchange/format.ts';
import type { Receipt } from '../../src/exchange/receipt.ts';
import { billed, price, startWorld, type World } from './kit.ts';
import { inputTokens, wholeTokens } from './upstream.ts';

const drains = 50;
const crowd = 70;

let world: World;
before(async () => {
  world = await startWorld();
});
after(() => world.close());

function request(format: Format, model: string, stream: boolean): { path: string; body: object } {
  const messages = [{ role: 'user', content: 'Write.' }];
  if (format === 'openai-chat') return { path: '/v1/chat/completions', body: { model, stream, messages } };
  if (format === 'anthropic-messages')
    return { path: '/v1/messages', body: { model, stream, max_tokens: 8192, messages } };
  const path = `/v1beta/models/${encodeURIComponent(model)}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`;
  return { path, body: { contents: [{ role: 'user', parts: [{ text: 'Write.' }] }] } };
}

function ask(format: Format, model: string, stream: boolean, signal: AbortSignal): Promise<Response> {
  const { path, body } = request(format, model, stream);
  return fetch(world.gateway.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.gateway.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal,
  });
}

/** Reads so many bytes of a stream and leaves; resolves with what was read. */
async function leaveAfter(format: Format, model: string, bytes: number): Promise<number> {
  const leaving = new AbortController();
  const response = await ask(format, model, true, leaving.signal);
  const reader = response.body?.getReader();
  let read = 0;
  while (read < bytes) {
    const { value, done } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done) break;
    read += value?.length ?? 0;
  }
  leaving.abort();
  return read;
}

/** C5: no row but costs what its tokens cost. */
function priced(receipts: readonly Receipt[]): void {
  for (const { cost, charges } of receipts) {
    let sum = 0;
    for (const { usage, cost: each } of charges) {
      assert.equal(each, billed(usage.output + usage.reasoning, usage.input));
      sum += each;
    }
    assert.equal(cost, sum);
  }
}

const stopping: Readonly<Record<string, Format>> = { openai: 'openai-chat', anthropic: 'anthropic-messages' };
const goingOn: Readonly<Record<string, Format>> = {
  chat: 'openai-chat',
  messages: 'anthropic-messages',
  gemini: 'gemini-generate',
};

describe('C1, C2, C6: streams left at any byte', { concurrency: 2 }, () => {
  for (const client of formats)
    for (const provider of Object.keys(stopping))
      test(`${client} from ${provider}: the provider is hung up on, and what came is paid`, async () => {
        const model = (number: number): string => `words-left-${provider}-${client}-${number}`;
        const numbers = [0, 1, 2, 3, 4, 5, 6, 7];
        await Promise.all(numbers.map((n) => leaveAfter(client, `${provider}/${model(n)}`, 1 + ((n * 7919) % 6000))));
        for (const number of numbers) {
          const receipt = await world.receipt(`${provider}/${model(number)}`);
          assert.deepEqual([receipt.ending, receipt.status, receipt.code], ['cancelled', 499, 'client_closed']);
          const deed = world.upstream.deeds.find((each) => each.model === model(number));
          while (deed && deed.hungUpAt === 0 && !deed.ended) await new Promise((resolve) => setImmediate(resolve));
          assert.ok(deed && deed.hungUpAt > 0 && deed.tokens < wholeTokens, 'C6: the provider saw it go');
          assert.ok(receipt.cost > 0 && receipt.charges.length === 1);
          // Estimated on what was received, by a measure that errs upwards; never the whole answer.
          assert.ok(receipt.cost < billed(wholeTokens), `${receipt.cost}`);
          priced([receipt]);
        }
      });

  for (const [provider, format] of Object.entries(goingOn))
    test(`${provider}: heard out, and paid to the nano-dollar`, async () => {
      const model = `words-left-${provider}`;
      await leaveAfter(format, `${provider}/${model}`, 2_000);
      const receipt = await world.receipt(`${provider}/${model}`);
      assert.deepEqual([receipt.ending, receipt.cost, receipt.estimated], ['cancelled', billed(wholeTokens), false]);
      assert.ok(world.upstream.deeds.find((each) => each.model === model)?.ended);
      priced([receipt]);
    });
});

test('C7: no usage ever came: the row is there, estimated, and costs at least the text that was delivered', async () => {
  const read = await leaveAfter('openai-chat', 'openai/words-no-usage', 20_000);
  const receipt = await world.receipt('openai/words-no-usage');
  assert.equal(receipt.estimated, true);
  const frame = JSON.stringify({ choices: [{ index: 0, delta: { content: 'word ' }, finish_reason: null }] }).length;
  // Fewer tokens than this cannot have been in so many bytes: a frame is longer than this part of it.
  const least = Math.floor(read / (frame + 120));
  assert.ok(
    receipt.charges[0] && receipt.charges[0].usage.output >= least,
    `${receipt.charges[0]?.usage.output} < ${least}`,
  );
});

test('C3, C4, C5: whole answers whose clients left are paid in full once they come, and at most fifty are waited for', async () => {
  for (const [provider, format] of Object.entries(goingOn)) {
    const model = `late-${provider}`;
    const leaving = new AbortController();
    const asked = ask(format, `${provider}/${model}`, false, leaving.signal);
    await world.upstream.reached(model, 1);
    leaving.abort();
    await assert.rejects(asked);
  }
  const wanted = Object.keys(goingOn).map((provider) => `${provider}/late-${provider}`);
  await phase('draining', wanted.length);
  // The crowd of the next test waits behind the same door.
  const left = await crowdLeaves();
  world.upstream.release();
  for (const model of wanted) {
    const receipt = await world.receipt(model);
    assert.deepEqual(
      [receipt.ending, receipt.status, receipt.cost, receipt.estimated],
      ['cancelled', 499, billed(wholeTokens), false],
    );
  }
  await left();
});

async function phase(wanted: string, count: number): Promise<void> {
  for (;;) {
    const { data } = await world.admin<{ data: { phase: string }[] }>('GET', '/admin/inflight');
    if (data.length === count && data.every((each) => each.phase === wanted)) return;
  }
}

/** C3: more clients leave at once than are heard out; the answer checks how each was paid. */
async function crowdLeaves(): Promise<() => Promise<void>> {
  const before = 3;
  const leaving = new AbortController();
  const asked = Array.from({ length: crowd }, (_, at) =>
    ask('openai-chat', `chat/mute-crowd-${at}`, true, leaving.signal),
  );
  for (let at = 0; at < crowd; at++) await world.upstream.reached(`mute-crowd-${at}`, 1);
  leaving.abort();
  await Promise.allSettled(asked);
  await phase('draining', drains);
  const stillOpen = () =>
    world.upstream.deeds.filter(({ model, hungUpAt }) => model.startsWith('mute-crowd') && hungUpAt === 0);
  // The news of a connection's end takes its way to the provider.
  while (stillOpen().length > drains - before) await phase('draining', drains);
  const open = stillOpen();
  assert.equal(open.length, drains - before, 'C3: so many are heard out at once and no more');
  return async () => {
    const rows = (await world.receipts()).filter(({ asked }) => asked.startsWith('chat/mute-crowd'));
    assert.equal(rows.length, crowd);
    const exact = rows.filter(({ estimated }) => !estimated);
    assert.equal(exact.length, drains - before);
    for (const { cost } of exact) assert.equal(cost, billed(wholeTokens));
    for (const { estimated, cost } of rows)
      assert.ok(!estimated || cost >= inputTokens * price.input, 'the prompt at least');
    priced(rows);
  };
}

test('the books are balanced behind all of them', () => world.conserved());
