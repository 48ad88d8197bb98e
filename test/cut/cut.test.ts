// A budget that runs out in the middle of a stream: each client format with each provider format, ended with an error or
// as if at the output limit, read by the official libraries; never the latter inside the arguments of a call.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Format, formats } from '../../src/exchange/format.ts';
import { billed, startWorld, type World } from './kit.ts';
import { readers } from './readers.ts';
import { wholeTokens } from './upstream.ts';

const providers = ['openai', 'anthropic', 'gemini', 'chat', 'messages'] as const;
const endings = ['error', 'finish'] as const;
/** Those whose bill stops with the connection. */
const stops = new Set<string>(['openai', 'anthropic']);

const limitWord: Readonly<Record<Format, string>> = {
  'openai-chat': 'length',
  'anthropic-messages': 'max_tokens',
  'gemini-generate': 'MAX_TOKENS',
};

interface Case {
  readonly client: Format;
  readonly model: string;
  readonly ending: (typeof endings)[number];
  /** What the library sees. */
  readonly sees: (typeof endings)[number];
}

const cases: Case[] = [];
for (const client of formats)
  for (const provider of providers)
    for (const shape of ['words', 'tool'] as const)
      for (const ending of endings) {
        // Inside a call one format of provider stands for all.
        if (shape === 'tool' && (ending === 'error' || provider === 'chat' || provider === 'messages')) continue;
        const model = `${provider}/${shape}-${ending}-${provider}-${client}`;
        cases.push({ client, model, ending, sees: shape === 'tool' ? 'error' : ending });
      }
// A thought without its proof could not be sent back to the provider that made it; other formats have no such proof.
for (const [client, sees] of [
  ['anthropic-messages', 'error'],
  ['openai-chat', 'finish'],
  ['gemini-generate', 'finish'],
] as const)
  cases.push({ client, model: `anthropic/think-finish-${client}`, ending: 'finish', sees });
const pair: Case = { client: 'openai-chat', model: 'openai/pair-finish', ending: 'finish', sees: 'finish' };
const array: Case = { client: 'gemini-generate', model: 'gemini/words-array', ending: 'finish', sees: 'finish' };

let world: World;
before(async () => {
  const cut = Object.fromEntries([...cases, pair, array].map(({ model, ending }) => [model, ending]));
  world = await startWorld({ cut });
});
after(() => world.close());

async function books(model: string): Promise<void> {
  const receipt = await world.receipt(model);
  assert.deepEqual([receipt.ending, receipt.code, receipt.status], ['cut', 'budget_exceeded', 200]);
  const deed = world.upstream.deeds.find((each) => model.endsWith(`/${each.model}`));
  assert.ok(deed && world.upstream.deeds.filter((each) => model.endsWith(`/${each.model}`)).length === 1, 'asked once');
  if (stops.has(model.split('/')[0] ?? '')) {
    // The provider may hear of it after the receipt has been read.
    while (deed.hungUpAt === 0 && !deed.ended) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(deed.hungUpAt > 0 && deed.tokens < wholeTokens, 'hung up on');
    return;
  }
  assert.ok(deed.ended, 'heard out');
  assert.deepEqual([receipt.cost, receipt.estimated], [billed(wholeTokens), false], 'the provider’s own usage');
}

describe('A20: a stream whose budget runs out', { concurrency: 4 }, () => {
  for (const { client, model, sees } of cases)
    test(`${client} from ${model}: ${sees}`, async () => {
      const outcome = await readers[client](world.gateway, model).then(
        (answer) => ({ answer }),
        (error: unknown) => ({ error }),
      );
      if (sees === 'error') {
        assert.ok('error' in outcome, JSON.stringify(outcome));
        assert.match(String(outcome.error), /Budget exceeded: model:/);
      } else {
        assert.ok('answer' in outcome, String('error' in outcome && outcome.error));
        const { finish, text, outputTokens, cost } = outcome.answer;
        assert.deepEqual(finish, [limitWord[client]]);
        if (model.includes('words')) assert.match(text, /^(word ){20,}$/);
        assert.ok(outputTokens > 0 && cost !== undefined && cost > 0 && cost <= 0.003, `${outputTokens} for ${cost}`);
      }
      await books(model);
    });

  test('several choices: each open one reaches its limit', async () => {
    const { finish, cost } = await readers['openai-chat'](world.gateway, pair.model, 2);
    assert.deepEqual(finish, ['length', 'length']);
    assert.ok(cost !== undefined && cost > 0);
    await books(pair.model);
  });

  test('a Gemini stream that is one JSON array is closed as one', async () => {
    const path = `/v1beta/models/${encodeURIComponent(array.model)}:streamGenerateContent`;
    const response = await fetch(world.gateway.url + path, {
      method: 'POST',
      headers: { 'x-goog-api-key': world.gateway.key, 'content-type': 'application/json' },
      body: JSON.stringify({ contents: [{ role: 'user', parts: [{ text: 'Write.' }] }] }),
    });
    const chunks = (await response.json()) as { candidates?: { finishReason?: string }[]; usageMetadata?: object }[];
    assert.equal(chunks.at(-1)?.candidates?.[0]?.finishReason, 'MAX_TOKENS');
    assert.ok(chunks.at(-1)?.usageMetadata);
    await books(array.model);
  });
});

test('the books are balanced behind them', () => world.conserved());
