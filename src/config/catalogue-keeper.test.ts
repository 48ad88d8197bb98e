import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findProvider } from '@pydantic/genai-prices';
import { doubtful, feedCopy, unreadable } from '../../bench/money/broken-feeds.ts';
import type { Alias, Snapshot } from '../exchange/policy.ts';
import type { LogFields } from '../world/world.ts';
import { openCatalogue } from './catalogue-keeper.ts';
import { FeedError, parseFeed } from './feed.ts';
import { packagedFeed, packagedIds } from './packaged.ts';

const now = Date.parse('2026-11-21T12:00:00Z');

function open(context: TestContext, folder = mkdtempSync(join(tmpdir(), 'tollgate-catalogue-')), used: string[] = []) {
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const errors: LogFields[] = [];
  const targets = used.map((name) => {
    const [catalogue = '', model = ''] = name.split('/');
    return { provider: { catalogue }, model };
  });
  const aliases = new Map([['a', { name: 'a', strategy: 'failover', targets } as unknown as Alias]]);
  const keeper = openCatalogue({
    folder,
    policy: () => ({ aliases }) as unknown as Snapshot,
    clock: { now: () => now },
    log: { debugs: true, debug() {}, info() {}, warn() {}, error: (_, fields = {}) => void errors.push(fields) },
  });
  const price = (model = 'gpt-4o') => keeper.find('openai', model, now)?.tiers[0].prices.input;
  return { keeper, folder, errors, price, file: join(folder, 'catalogue.json') };
}

test('the packaged prices are all of the package, and a feed that may be taken', () => {
  const file = new URL('../../node_modules/@pydantic/genai-prices/dist/index.js', import.meta.url);
  const inside = [...readFileSync(file, 'utf8').matchAll(/^ {2}\{\n {4}id: "([^"]+)"/gm)].map((found) => found[1]);
  assert.deepEqual([...packagedIds], inside);
  assert.equal(packagedFeed().length, packagedIds.length);
  assert.ok(findProvider({ providerId: 'openai' }));
  assert.equal(parseFeed(JSON.stringify(packagedFeed())).length, packagedIds.length);
});

for (const [what, text] of Object.entries(unreadable)) {
  test(`E9: a feed with ${what} is refused`, () => assert.throws(() => parseFeed(text()), FeedError));
}

for (const [what, text] of Object.entries(doubtful)) {
  test(`E9: a feed with ${what} wants confirmation`, async (context) => {
    const { keeper } = open(context);
    const { difference } = await keeper.propose(text(), false);
    const asked = [...difference.jumps, ...difference.missing];
    assert.ok(
      asked.some((name) => name === 'openai' || name === 'openai/gpt-4o'),
      `asked for ${asked}`,
    );
  });
}

test('E9: a feed of the same prices changes nothing; a small change, a new model and an unused loss pass', async (context) => {
  const { keeper } = open(context);
  const same = await keeper.propose(JSON.stringify(packagedFeed()), false);
  assert.deepEqual([same.difference.added, same.difference.removed, same.difference.changed], [[], [], []]);
  const rows = feedCopy();
  const openai = rows.find(({ id }) => id === 'openai');
  assert.ok(openai);
  const model = openai.models.find(({ id }) => id === 'gpt-4o');
  assert.ok(model);
  model.prices = {
    input_mtok: 3,
    output_mtok: 10,
    cache_read_mtok: 1.25,
    web_searches_kcount: 10,
    storage_searches_kcount: 2.5,
  };
  openai.models.push({ id: 'gpt-9', match: { equals: 'gpt-9' }, prices: { input_mtok: 1, output_mtok: 2 } });
  openai.models = openai.models.filter(({ id }) => id !== 'babbage' && id !== 'davinci');
  const { difference } = await keeper.propose(JSON.stringify(rows), false);
  assert.deepEqual([difference.added, difference.jumps, difference.missing], [['openai/gpt-9'], [], []]);
  assert.deepEqual(
    difference.changed.filter(({ name }) => name === 'openai/gpt-4o'),
    [{ name: 'openai/gpt-4o', price: 'input', above: 0, from: 2_500_000, to: 3_000_000 }],
  );
});

test('E9: a model that the configuration uses is missed, whatever the share', async (context) => {
  const { keeper } = open(context, undefined, ['openai/gpt-5-nano']);
  const rows = feedCopy().map((row) => ({ ...row, models: row.models.filter(({ id }) => id !== 'gpt-5-nano') }));
  const { difference } = await keeper.propose(JSON.stringify(rows), false);
  assert.deepEqual(difference.missing, ['openai/gpt-5-nano']);
});

function feedOf(input: number): string {
  const rows = feedCopy();
  const model = rows.find(({ id }) => id === 'openai')?.models.find(({ id }) => id === 'gpt-4o');
  assert.ok(model);
  model.prices = { input_mtok: input, output_mtok: 10 };
  return JSON.stringify(rows);
}

test('an update holds at once and after a start; its version is in the rate; those before it are kept', async (context) => {
  const first = open(context);
  assert.equal(first.price(), 2_500_000);
  for (const input of [3, 4]) {
    const proposal = await first.keeper.propose(feedOf(input), false);
    first.keeper.apply(proposal, 'feed.json', false);
    assert.equal(first.price(), input * 1_000_000);
    const version = first.keeper.find('openai', 'gpt-4o', now)?.version ?? '';
    assert.ok(version.startsWith(`genai-prices#${proposal.checksum.slice(0, 12)}+`), version);
  }
  assert.equal(readdirSync(join(first.folder, 'catalogues')).length, 2);
  const again = open(context, first.folder);
  assert.equal(again.price(), 4_000_000);
  assert.equal(again.keeper.state().source, 'feed.json');
});

const damages: Readonly<Record<string, (text: string) => string>> = {
  'cut off': (text) => text.slice(0, text.length / 2),
  empty: () => '',
  'an edited price': (text) => text.replace('"input_mtok":4', '"input_mtok":0'),
  'a bare feed': () => JSON.stringify(packagedFeed()),
};

for (const [what, damage] of Object.entries(damages)) {
  test(`E9: a stored catalogue that is ${what} is refused loudly, at start and on reload; the last good one holds`, async (context) => {
    const first = open(context);
    for (const input of [3, 4])
      first.keeper.apply(await first.keeper.propose(feedOf(input), false), 'feed.json', false);
    writeFileSync(first.file, damage(readFileSync(first.file, 'utf8')));
    first.keeper.reload();
    assert.equal(first.price(), 4_000_000);
    assert.equal(first.errors.length, 1);
    const again = open(context, first.folder);
    assert.equal(again.price(), 4_000_000);
    assert.ok(again.keeper.state().problem);
    assert.equal(again.errors.length, 1);
    // With every stored one broken, what is packaged holds.
    for (const name of readdirSync(join(first.folder, 'catalogues')))
      writeFileSync(join(first.folder, 'catalogues', name), '{');
    assert.equal(open(context, first.folder).price(), 2_500_000);
  });
}

test('a stored catalogue that another process wrote holds after a reload', async (context) => {
  const first = open(context);
  const other = open(context, first.folder);
  other.keeper.apply(await other.keeper.propose(feedOf(3), false), 'feed.json', false);
  assert.equal(first.price(), 2_500_000);
  first.keeper.reload();
  assert.equal(first.price(), 3_000_000);
});
