import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { doubtful, unreadable } from '../../bench/money/broken-feeds.ts';
import { type Catalogued, goodFeed, startCatalogued } from '../../bench/money/r29.ts';

const packaged = 1000 * 2500 + 100 * 10_000;
const updated = 1000 * 3000 + 100 * 10_000;

async function start(context: TestContext): Promise<Catalogued> {
  const running = await startCatalogued();
  context.after(() => running.close());
  return running;
}

function tollgate(running: Catalogued, ...words: string[]): Promise<{ code: number; out: string; error: string }> {
  const main = resolve(import.meta.dirname, '..', '..', 'src', 'main.ts');
  const { PATH = '' } = process.env;
  const env = { PATH, TOLLGATE_ADMIN_TOKEN: running.gateway.adminToken };
  return new Promise((settle) => {
    execFile(process.execPath, [main, ...words, '--url', running.gateway.url], { env }, (failure, out, error) =>
      settle({ code: typeof failure?.code === 'number' ? failure.code : failure ? 1 : 0, out, error }),
    );
  });
}

test('R29, E9: no broken feed prices a request of a running gateway; a good one holds at once', async (context) => {
  const running = await start(context);
  for (const text of [unreadable['cut in the middle'], unreadable['a stray brace'], doubtful['a price that is 0']]) {
    const { status } = await running.ask('POST', '/admin/catalogue', { feed: text?.(), apply: true });
    assert.equal(status, 400);
    assert.equal(await running.spend(), packaged);
  }
  const { status, json } = await running.ask('POST', '/admin/catalogue', { feed: goodFeed(), apply: true });
  assert.equal(status, 400, 'a fee that vanishes is confirmed by name');
  assert.match(JSON.stringify(json), /openai\/gpt-4o/);
  await running.ask('POST', '/admin/catalogue', { feed: goodFeed(), apply: true, jumps: ['openai/gpt-4o'] });
  assert.equal(await running.spend(), updated);
  const { json: requests } = await running.ask('GET', '/admin/requests?limit=1');
  const [newest] = requests.data as { id: string }[];
  const { json: receipt } = await running.ask('GET', `/admin/requests/${newest?.id}`);
  assert.match(JSON.stringify(receipt.charges), /"price_version":"genai-prices#[0-9a-f]{12}\+/);
});

test('tollgate catalog update shows the difference, wants jumps by name, and takes what was shown', async (context) => {
  const running = await start(context);
  const file = join(dirname(running.gateway.configFile), 'feed.json');
  writeFileSync(file, goodFeed());
  const asked = await tollgate(running, 'catalog', 'update', '--from', file, '--yes');
  assert.equal(asked.code, 1);
  assert.match(asked.out, /openai\/gpt-4o +input +2\.5 -> 3 USD per million tokens/);
  assert.match(asked.error, /--yes-jumps openai\/gpt-4o/);
  assert.equal(await running.spend(), packaged);
  const taken = await tollgate(running, 'catalog', 'update', '--from', file, '--yes', '--yes-jumps', 'openai/gpt-4o');
  assert.equal(taken.code, 0, taken.error);
  assert.equal(await running.spend(), updated);
  writeFileSync(file, goodFeed().slice(0, 1000));
  const refused = await tollgate(running, 'catalog', 'update', '--from', file, '--yes');
  assert.equal(refused.code, 1);
  assert.match(refused.error, /The price feed is refused: it is not JSON/);
  const shown = await tollgate(running, 'catalog', 'show', '--json');
  assert.equal(JSON.parse(shown.out).source, 'feed.json');
});

test('a feed is fetched by https from public addresses alone', async (context) => {
  const running = await start(context);
  for (const from of [
    'http://example.com/x',
    'https://127.0.0.1:9/x',
    'https://169.254.169.254/x',
    'https://u:p@example.com/',
  ]) {
    const { status, json } = await running.ask('POST', '/admin/catalogue', { from });
    assert.equal(status, 400, from);
    assert.match(JSON.stringify(json), /price feed is refused/);
  }
});
