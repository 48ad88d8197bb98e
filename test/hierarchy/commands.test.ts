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
    [
      ['key', 'create', 'x', '--owner', 'team:none'],
      1,
      /there is no unit "team:none"; make it with tollgate unit create team:none,/,
    ],
    [['budget', 'set', 'gobal', '1 USD'], 1, /unknown kind of scope.*; did you mean global\?/],
    [['budget', 'set', 'taem:x', '1 USD'], 1, /did you mean team\?/],
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

test('budget set changes what it names and nothing else', async () => {
  const of = async (...options: string[]): Promise<{ soft: boolean; on_exhausted: string; limit: string }> =>
    JSON.parse(await well('budget', 'set', 'run:*', ...options, '--json'));
  const { soft, on_exhausted: ending } = await of('1 USD', '--soft', '--on-exhausted', 'finish');
  assert.deepEqual([soft, ending], [true, 'finish']);
  const raised = await of('2 USD');
  assert.deepEqual([raised.limit, raised.soft, raised.on_exhausted], ['2 USD', true, 'finish']);
  const hard = await of('2 USD', '--hard', '--on-exhausted', 'error');
  assert.deepEqual([hard.soft, hard.on_exhausted], [false, 'error']);
  assert.equal((await run('budget', 'set', 'run:*', '1', '--soft', '--hard')).code, 2);
  const wrong = await run('budget', 'set', 'run:*', '1', '--on-exhausted', 'stop');
  assert.deepEqual([wrong.code, wrong.err], [2, 'tollgate: --on-exhausted must be error or finish']);
});

test('budget set: a key that is not there is refused, a name that may come is noted', async () => {
  await well('key', 'create', 'ben');
  const id = /^(k\S+) +ben /m.exec(await well('key', 'list'))?.[1] ?? '';
  const none = await run('budget', 'set', 'key:nosuch', '1 USD');
  assert.deepEqual(
    [none.code, none.err],
    [1, 'tollgate: There is no key with the id "nosuch"; tollgate key list has the ids.'],
  );
  const named = await run('budget', 'set', 'key:ben', '1 USD');
  assert.deepEqual([named.code, named.err.includes(`"ben" is the name of key:${id}.`)], [1, true]);
  assert.doesNotMatch(await well('budget', 'list'), /key:(nosuch|ben)/);
  await well('unit', 'create', 'team:made');
  for (const [scope, note] of [
    [`key:${id}`, ''],
    ['key:*', ''],
    ['team:made', ''],
    ['run:later', ''],
    ['tag:later=yes', ''],
    ['team:serach', 'Note: there is no team serach yet: this limits nobody until there is.'],
    ['user:ann@acme.com', 'Note: there is no user ann@acme.com yet: this limits nobody until there is.'],
  ] as const) {
    const set = await run('budget', 'set', scope, '1 USD', '--per', 'week');
    assert.deepEqual([set.code, set.err], [0, note], scope);
  }
  const provider = await run('budget', 'set', 'model:openia/gpt-4o', '1 USD');
  assert.match(provider.err, /^Note: no provider openia is configured \(.+\): this limits nobody until it is\.$/);
});

test('price and catalog show of a provider that is not configured name what to set', async () => {
  for (const args of [
    ['price', 'openai/gpt-4o'],
    ['price', 'gpt-4o'],
    ['catalog', 'show', 'openai'],
  ]) {
    const { code, out, err } = await run(...args);
    assert.deepEqual([code, out], [1, ''], args.join(' '));
    assert.match(err, /^tollgate: No .*provider.*[:;] set OPENAI_API_KEY where the gateway runs, to use openai/);
  }
  assert.doesNotMatch((await run('price', 'nobody-has-it')).err, /[:;] (set|name) /);
});

test('kill: what nobody runs is told, and ends with 1', async () => {
  for (const what of [['r1'], ['--run', 'nosuch']]) {
    const { code, err } = await run('kill', ...what);
    assert.equal(code, 1);
    assert.match(err, /^Nothing in flight of the (request r1|run nosuch)\.$/);
  }
});
