import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { startGateway } from '../../test/gateway.ts';
import { receipt } from '../../test/ledger.ts';
import { encodeRow, scanRows } from '../exchange/journal.ts';
import type { Charge, Receipt, ReceiptRow } from '../exchange/receipt.ts';
import { inputTokens, noUsage, outputTokens } from '../exchange/usage.ts';
import { type Received, readUsual, receive } from './received.ts';

/** The row's JSON where it stands in the middle of other bytes. */
function received(row: ReceiptRow): Received {
  const bytes = encodeRow(row);
  return receive(Buffer.concat([Buffer.from('xyz'), bytes, bytes]), 3 + 9, 3 + bytes.length - 1);
}

function plainly(row: ReceiptRow): Received {
  const { id, at, keyId, ending, provider, model, cost, saved, cache, charges } = JSON.parse(
    JSON.stringify(row.receipt),
  ) as Receipt;
  return {
    id,
    at,
    keyId,
    ending,
    provider,
    model,
    cost,
    saved,
    cache,
    charges: charges.map(({ usage, ...charge }) => ({
      provider: charge.provider,
      model: charge.model,
      inputTokens: inputTokens(usage),
      outputTokens: outputTokens(usage),
      cost: charge.cost,
    })),
    body: JSON.stringify(row.receipt),
  };
}

/** Texts that look like what may follow them. */
const text = fc.oneof(
  { weight: 30, arbitrary: fc.constantFrom('sim', 'gpt-5-mini', 'feature=search') },
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 4 }),
  fc.constantFrom(
    '',
    'completed',
    'off',
    '0',
    'a],',
    '"],"format":"',
    '}}',
    '\\',
    '"',
    '\ud800',
    'é',
    ']',
    '}',
    '#{x}',
  ),
);
const number = fc.oneof(
  { weight: 20, arbitrary: fc.nat() },
  fc.constantFrom(0, -1, 0.5, 1e-9, 1e21, Number.NaN, 2 ** 53 - 1, -0, 12_345.678),
  fc.double(),
);
const usage = fc.record({
  input: number,
  cacheRead: number,
  cacheReadAudio: number,
  output: number,
  seconds: number,
  webSearches: number,
});
const charge: fc.Arbitrary<Charge> = fc.record(
  {
    attempt: fc.nat(4),
    provider: fc.constantFrom('sim', 'other'),
    model: fc.oneof(fc.constant('small'), text),
    usage: fc.tuple(usage, fc.option(text, { nil: undefined })).map(([some, tier]) => ({
      ...noUsage(),
      ...some,
      ...(tier === undefined ? {} : { tier }),
      ...(tier === 'off' ? { unknown: { file_search: 2 } } : {}),
    })),
    cost: number,
    priceVersion: text,
    pricedAs: text,
    status: fc.nat(600),
    estimated: fc.constantFrom('received-text', 'held-amount', 'maybe-charged'),
    failure: text,
  },
  { requiredKeys: ['attempt', 'provider', 'model', 'usage', 'cost', 'priceVersion', 'status'] },
);

test('a receipt is read as JSON.parse would have it, whatever stands in it', () => {
  let usual = 0;
  fc.assert(
    fc.property(
      fc.record(
        {
          keyId: text,
          asked: text,
          code: text,
          rule: text,
          scopes: fc.array(text, { maxLength: 3 }),
          provider: fc.constantFrom('sim', 'other'),
          model: fc.oneof(fc.constant('small'), text),
          ending: fc.constantFrom('completed', 'cut', 'completedly' as 'cut', '' as 'cut'),
          cache: fc.constantFrom('off', 'miss', 'hit'),
          charges: fc.array(charge, { maxLength: 2 }),
          cost: number,
          saved: number,
          at: number,
          estimated: fc.boolean(),
          dropped: fc.array(text, { maxLength: 2 }),
          tags: fc.dictionary(text, text, { maxKeys: 2 }),
          overheadMs: number,
        },
        { requiredKeys: [] },
      ),
      fc.option(fc.constant([{ scope: 'global', window: 'lifetime', amount: 3 }]), { nil: undefined, freq: 8 }),
      fc.boolean(),
      (more, accounts, sameCost) => {
        const one = receipt('r1', 7, more);
        const whole = sameCost && one.charges[0] ? { ...one, cost: one.charges[0].cost } : one;
        const row: ReceiptRow = { type: 'receipt', receipt: whole, ...(accounts && { accounts }) };
        assert.deepEqual(received(row), plainly(row));
        if (readUsual(JSON.stringify(whole))) usual += 1;
      },
    ),
    { seed: 11, numRuns: 5_000 },
  );
  assert.ok(usual > 500, `${usual} of them were of the usual shape`);
});

test('what a gateway writes of an answer, whole or streamed, is of the usual shape', async (context) => {
  const gateway = await startGateway({ config: { providers: { sim: {} }, budgets: [] } });
  context.after(() => gateway.close());
  for (const stream of [false, true]) {
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.key}`, 'x-tollgate-tags': 'feature=search', 'x-tollgate-run': 'r1' },
      body: JSON.stringify({ model: 'sim/sim-small', stream, messages: [{ role: 'user', content: 'Hello' }] }),
    });
    assert.equal(answer.status, 200);
    await answer.text();
  }
  await gateway.kill('SIGTERM');
  const receipts: Receipt[] = [];
  scanRows(readFileSync(join(gateway.dataFolder, 'journal', '000000000001.journal')), 0, (row) => {
    if (row.type === 'receipt') receipts.push(row.receipt);
  });
  assert.deepEqual(
    receipts.map(({ stream }) => stream),
    [false, true],
  );
  for (const each of receipts)
    assert.deepEqual(readUsual(JSON.stringify(each)), plainly({ type: 'receipt', receipt: each }));
});
