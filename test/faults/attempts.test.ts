// Attempts of which a client sees nothing, or only a part: each is a row of its own, none of them silently free.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Format } from '../../src/exchange/format.ts';
import type { Receipt } from '../../src/exchange/receipt.ts';
import { receiptsOf } from '../lasting/tools.ts';
import { inputTokens, okWords } from '../upstream.ts';
import { ask, formats, providerOf, requestOf, startWorld, type World } from './kit.ts';

/** Nano-USD a token, as the kit prices every provider. */
const price = { input: 1000, output: 2000 };

let world: World;
before(async () => {
  world = await startWorld({
    'then-first': { targets: ['messages/error-first', 'chat/ok'], strategy: 'failover' },
    'then-quota': { targets: ['chat/quota', 'messages/ok'], strategy: 'failover' },
  });
});
after(() => world.close());

async function receiptOf(response: Response, of = world): Promise<Receipt> {
  await response.text();
  const id = response.headers.get('x-tollgate-request-id');
  const found = receiptsOf(of.gateway.dataFolder).find((each) => each.id === id);
  assert.ok(found, 'there is a receipt');
  await of.conserved();
  return found;
}

test('D1: an attempt that fails before its content and one that answers: two rows, both as their providers counted', async () => {
  const receipt = await receiptOf(await ask(world, requestOf('openai-chat', 'then-first', true)));
  const [first, second] = receipt.charges;
  assert.deepEqual([receipt.ending, receipt.charges.length], ['completed', 2]);
  // The first had told its input and one token when it broke.
  assert.deepEqual([first?.provider, first?.cost], ['messages', inputTokens * price.input + price.output]);
  const answer = inputTokens * price.input + okWords.length * price.output;
  assert.deepEqual([second?.provider, second?.cost, second?.estimated], ['chat', answer, undefined]);
  assert.equal(receipt.cost, (first?.cost ?? 0) + answer);
});

/** The rows of one request whose provider may have charged it. */
async function maybeCharged(world: World, format: Format, script: string): Promise<void> {
  const response = await ask(world, requestOf(format, `${providerOf[format]}/${script}`, false));
  const receipt = await receiptOf(response, world);
  assert.equal(receipt.ending, script === 'status-504' ? 'timed-out' : 'failed');
  assert.ok(receipt.charges.length >= 1 && receipt.estimated);
  for (const { estimated, cost, usage } of receipt.charges) {
    assert.equal(estimated, 'maybe-charged');
    assert.ok(cost > 0 && cost === usage.input * price.input + usage.output * price.output);
  }
}

for (const format of formats) {
  for (const script of ['status-502', 'status-504'])
    test(`D6: ${format}: ${script} after the provider had the request may have been charged`, () =>
      maybeCharged(world, format, script));

  test(`D6: ${format}: a connection made for the request and closed without a byte may have been charged`, async () => {
    // One that was kept from an earlier request would look like the race of an idle connection, which is free.
    const fresh = await startWorld();
    try {
      await maybeCharged(fresh, format, 'close-early');
    } finally {
      await fresh.close();
    }
  });
}

for (const format of formats) {
  for (const of of formats) {
    for (const stream of [false, true])
      test(`D1: ${format} from ${of}: ${stream ? 'an error inside a stream' : 'an error of status 200'} costs what its usage says`, async () => {
        const model = `${providerOf[of]}/billed-error`;
        const receipt = await receiptOf(await ask(world, requestOf(format, model, stream)));
        const bill = inputTokens * price.input + okWords.length * price.output;
        assert.deepEqual([receipt.ending, receipt.cost, receipt.estimated], ['failed', bill, false]);
        assert.ok(receipt.charges.every(({ failure }) => failure === 'overloaded'));
      });
  }

  for (const script of ['billed-500', 'billed-whole'])
    test(`D1: ${format}: ${script === 'billed-500' ? 'an error' : 'a whole answer'} where a stream was asked for costs what its usage says`, async () => {
      const model = `${providerOf[format]}/${script}`;
      const receipt = await receiptOf(await ask(world, requestOf(format, model, true)));
      const bill = inputTokens * price.input + okWords.length * price.output;
      assert.deepEqual([receipt.ending, receipt.cost, receipt.estimated], ['failed', bill, false]);
    });

  for (const stream of [false, true])
    test(`D1: ${format}: an error ${stream ? 'inside a stream' : 'of status 200'} whose usage nobody could have made is not believed`, async () => {
      const model = `${providerOf[format]}/billed-absurdly`;
      const receipt = await receiptOf(await ask(world, requestOf(format, model, stream)));
      assert.equal(receipt.ending, 'failed');
      assert.ok(receipt.cost < 1000 * price.input, `${receipt.cost}`);
    });
}

test('D7: a spent quota goes to the next target at once, and the same account is not asked again', async () => {
  const before = world.upstream.calls.length;
  const receipt = await receiptOf(await ask(world, requestOf('openai-chat', 'then-quota', true)));
  const asked = world.upstream.calls.slice(before).map(({ model }) => model);
  assert.deepEqual(asked, ['quota', 'ok']);
  assert.deepEqual([receipt.ending, receipt.charges.map(({ cost }) => cost > 0)], ['completed', [false, true]]);
});

for (const format of formats) {
  test(`C9: ${format}: an error inside the stream is not charged as output`, async () => {
    const receipt = await receiptOf(await ask(world, requestOf(format, `${providerOf[format]}/error-late`, true)));
    const [charge] = receipt.charges;
    assert.equal(receipt.ending, 'failed');
    // Two short words came; the error's own text has more characters than they do.
    assert.ok(charge && charge.cost > 0 && charge.usage.output <= 2 * okWords.length, `${charge?.usage.output}`);
  });

  test(`C11: ${format}: a provider that falls silent after two chunks leaves a row with what came`, async () => {
    const receipt = await receiptOf(await ask(world, requestOf(format, `${providerOf[format]}/slow`, true)));
    assert.deepEqual([receipt.ending, receipt.code], ['timed-out', 'upstream_timeout']);
    assert.ok(receipt.cost > 0 && (receipt.charges[0]?.usage.output ?? 0) > 0);
  });
}
