import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { okWords } from '../upstream.ts';
import { ask, errorIn, formats, type Line, providerOf, requestOf, startWorld, type World } from './kit.ts';

let world: World;

before(async () => {
  const models: Record<string, unknown> = {};
  // A target each, since one that failed often is tried last.
  for (const [name, script] of [
    ['early', 'close-early'],
    ['page', 'html-200'],
    ['first', 'error-first'],
    ['late', 'error-late'],
  ])
    for (const provider of Object.values(providerOf))
      models[`then-${name}-${provider}`] = { targets: [`${provider}/${script}`, 'messages/ok'], strategy: 'failover' };
  world = await startWorld(models);
});
after(() => world.close());

/** The receipt of an answer, and that the books are balanced behind it. */
async function receiptOf(response: Response): Promise<Line> {
  const receipt = await world.receipt(response.headers.get('x-tollgate-request-id'));
  assert.ok(receipt, 'there is a receipt');
  await world.conserved();
  return receipt;
}

/** What each format's error event stands for. */
const errorStatus = { 'openai-chat': 500, 'anthropic-messages': 529, 'gemini-generate': 503 } as const;

for (const format of formats) {
  const provider = providerOf[format];
  for (const stream of [true, false])
    for (const [script, status, ending, code] of [
      ['html-200', 502, 'failed', 'upstream_error'],
      ['html-502', 502, 'failed', 'upstream_error'],
      ['close-early', 502, 'failed', 'upstream_error'],
      ['status-429', 429, 'failed', 'rate_limited'],
      ['never', 504, 'timed-out', 'upstream_timeout'],
      ...(stream ? ([['error-first', errorStatus[format], 'failed', 'upstream_error']] as const) : []),
    ] as const)
      test(`${format}: ${script}, ${stream ? 'stream' : 'whole'}, is an error of the format with a receipt`, async () => {
        const response = await ask(world, requestOf(format, `${provider}/${script}`, stream));
        const text = await response.text();
        assert.equal(response.status, status, text);
        errorIn(format, text, response.headers.get('x-tollgate-request-id'));
        assert.ok(!text.includes('<html'));
        const receipt = await receiptOf(response);
        assert.deepEqual([receipt.ending, receipt.status, receipt.code], [ending, status, code]);
      });

  for (const script of ['half-event', 'error-late', 'close-late'])
    test(`${format}: ${script} ends the stream with an error and keeps what was said`, async () => {
      const response = await ask(world, requestOf(format, `${provider}/${script}`, true));
      const text = await response.text();
      assert.equal(response.status, 200);
      assert.ok(text.includes(okWords[0] ?? ''));
      const last = text.trimEnd().split('data: ').at(-1) ?? '';
      errorIn(format, last, response.headers.get('x-tollgate-request-id'));
      const receipt = await receiptOf(response);
      assert.deepEqual([receipt.ending, receipt.code], ['failed', 'upstream_error']);
      assert.ok(receipt.cost_nano_usd > 0);
    });

  test(`${format}: a client that leaves closes the provider's stream and has its receipt`, async () => {
    const before = world.upstream.calls.filter(({ aborted }) => aborted).length;
    const leaving = new AbortController();
    const response = await ask(world, requestOf(format, `${provider}/slow`, true), { signal: leaving.signal });
    const reader = response.body?.getReader();
    await reader?.read();
    leaving.abort();
    await world.upstream.aborts(before + 1);
    assert.equal(world.upstream.calls.at(-1)?.aborted, true);
    const receipt = await receiptOf(response);
    assert.deepEqual([receipt.ending, receipt.status, receipt.code], ['cancelled', 499, 'client_closed']);
    assert.ok(receipt.cost_nano_usd > 0);
  });

  for (const script of ['early', 'page', 'first'])
    test(`${format}: after ${script} and before any content a second target answers`, async () => {
      const response = await ask(world, requestOf(format, `then-${script}-${provider}`, true));
      const text = await response.text();
      assert.equal(response.status, 200, text);
      for (const word of okWords) assert.ok(text.includes(word), text);
      const receipt = await receiptOf(response);
      assert.deepEqual([receipt.ending, receipt.provider], ['completed', 'messages']);
      // Three where a reused connection was closed: that looks like the race of an idle one, which is tried again.
      assert.ok(receipt.attempts >= 2);
    });

  test(`D2: ${format}: after content no second target answers`, async () => {
    const before = world.upstream.calls.length;
    const response = await ask(world, requestOf(format, `then-late-${provider}`, true));
    assert.match(await response.text(), /overloaded, as the script says/);
    assert.equal(world.upstream.calls.length, before + 1);
    assert.deepEqual([(await receiptOf(response)).ending], ['failed']);
  });
}
