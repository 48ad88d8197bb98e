// Units, owners and budgets from the terminal, against a running gateway.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { runCommand } from '../../src/cli/cli.ts';
import { sampleTable } from '../../src/config/sample-table.test.ts';
import { ask, type Bench, refusalOf, startBench } from './kit.ts';

let bench: Bench;

before(async () => {
  bench = await startBench({ budgets: [{ scope: 'global', limit: '50 USD', per: 'month' }] });
});
after(() => bench.close());

/** In this process: starting one for each line would take a second each. */
async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const io = {
    out: (line: string) => void out.push(line),
    error: (line: string) => void err.push(line),
    fetch,
    table: sampleTable,
    about: { version: '0.1.0', node: process.versions.node },
  };
  const code = await runCommand([...args, '--url', bench.gateway.url], { TOLLGATE_DATA: bench.gateway.dataFolder }, io);
  return { code, out: out.join('\n'), err: err.join('\n') };
}

async function well(...args: string[]): Promise<string> {
  const { code, out, err } = await run(...args);
  assert.equal(code, 0, `${args.join(' ')}: ${err}`);
  return out.trim();
}

test('an organisation from nothing: units, a key with an owner, a budget that is raised, lowered and removed', async () => {
  assert.equal(await well('unit', 'create', 'org:acme', '--name', 'Acme Inc.'), 'Made org:acme.');
  await well('unit', 'create', 'team:search', '--under', 'org:acme', '--tier', 'gold');
  assert.match(await well('unit', 'list'), /^team:search +search +org:acme +gold +0$/m);
  const key = await well(
    'key',
    'create',
    'ann',
    '--owner',
    'team:search',
    '--forbid',
    'run',
    '--pin',
    'end_user=ann,tag:team=a',
  );
  assert.match(await well('key', 'list'), /^k\S+ +ann .*team:search/m);
  assert.equal(
    (await refusalOf(await ask(bench, key, { headers: { 'x-tollgate-run': 'r' } }), 403)).code,
    'not_allowed',
  );

  const made = await well('budget', 'set', 'team:search', '0', '--per', 'day', '--alert', '50%');
  assert.match(made, /^b\S+: team:search may spend 0 USD per day$/);
  assert.equal((await ask(bench, key)).status, 402);
  assert.match(await well('budget', 'raise', 'team:search', '1 USD', '--until', '4h'), /raised to 1 USD until 20/);
  assert.equal((await ask(bench, key)).status, 200);
  const listed = await well('budget', 'list');
  assert.match(listed, /^b\S+ +team:search +0 USD +day +0\.000019 .*raised to 1 USD until/m);
  assert.match(listed, /^file-\S+ +global +50 USD +month .*file$/m);
  await well('budget', 'raise', 'team:search', '--none');
  assert.equal((await ask(bench, key)).status, 402);
  assert.match(await well('budget', 'set', 'team:search', '2 USD', '--soft'), /may spend 2 USD per day \(soft\)/);
  assert.equal((await ask(bench, key)).status, 200);
  const tagged = await well('budget', 'set', 'tag:team=*', '0', '--json');
  assert.equal((await refusalOf(await ask(bench, key), 402)).tollgate.scope, 'tag:team=a');
  await well('budget', 'remove', (JSON.parse(tagged) as { id: string }).id);
  assert.match(await well('budget', 'remove', 'team:search'), /^Removed b/);
});

test('what cannot be done says why', async () => {
  const table: [string[], number, RegExp][] = [
    [['unit', 'create', 'acme'], 2, /SCOPE must be org:ID/],
    [['unit', 'create', 'team:x', '--under', 'org:none'], 1, /There is no unit org:none; make it first/],
    [['unit', 'remove', 'org:acme'], 1, /team:search stands under org:acme/],
    [['unit', 'remove', 'team:search'], 1, /The key k\w+ \(ann\) belongs to team:search/],
    [['key', 'create', 'x', '--owner', 'team:none'], 1, /there is no unit "team:none"/],
    [['key', 'create', 'x', '--pin', 'user=ann'], 2, /--pin wants/],
    [['budget', 'set', 'team:search', '9007200 USD'], 1, /at most 9007199 USD/],
    [['budget', 'set', 'global', '1 USD', '--per', 'month'], 1, /declared in the configuration file/],
    [['budget', 'remove', 'global'], 1, /declared in the configuration file; change it there/],
    [['budget', 'raise', 'global', '1 USD'], 2, /give an amount and --until/],
    [['budget', 'raise', 'team:none', '1 USD', '--until', '4h'], 1, /there is no budget team:none/],
  ];
  for (const [args, code, message] of table) {
    const finished = await run(...args);
    assert.equal(finished.code, code, args.join(' '));
    assert.match(finished.err, message);
  }
});
