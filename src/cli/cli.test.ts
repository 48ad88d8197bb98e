import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { takeLock } from './lock.ts';
import { controlPlane, folder, run, token } from './terminal.test.ts';

const key = {
  id: 'k1',
  name: 'ci',
  hint: 'sk-tg-Ab…',
  status: 'active',
  budget: null,
  created_at: '2026-01-01T00:00:00.000Z',
};

test('help names every command that works and no other', async () => {
  const { code, out } = await run(['--help']);
  assert.equal(code, 0);
  for (const name of [
    'start',
    'check',
    'key create',
    'key list',
    'key revoke',
    'key budget',
    'unit create',
    'unit list',
    'unit remove',
    'budget list',
    'budget set',
    'budget raise',
    'budget remove',
    'spend',
    'price',
    'ledger verify',
    'top',
    'kill',
    'backup',
    'restore',
    'doctor',
  ]) {
    assert.match(out, new RegExp(`^  ${name}  `, 'm'));
  }
  assert.doesNotMatch(out, /estimate|simulate|route explain/);
  assert.match((await run(['key', 'create', '--help'])).out, /Usage: tollgate key create NAME/);
  assert.match((await run(['help', 'spend'])).out, /--from SPAN/);
  for (const argv of [
    ['start', '--help'],
    ['help', 'start'],
    ['start', '--port', '1', '-h'],
  ]) {
    const { code, out } = await run(argv);
    assert.equal(code, 0);
    for (const name of ['--config FILE', '--port N', '--host H', 'PORT', 'HOST', 'TOLLGATE_DATA'])
      assert.ok(out.includes(name), name);
    assert.doesNotMatch(out, /key create/);
  }
  assert.equal((await run([])).code, 0);
});

test('what is unknown is refused with the word that was meant', async () => {
  const table: [string[], RegExp][] = [
    [['chek'], /unknown command chek; did you mean tollgate check\?/],
    [['key', 'crate'], /unknown command key crate; did you mean tollgate key create\?/],
    [['kill'], /usage: tollgate kill ID \| --run NAME \| --key KEY/],
    [['kill', 'x', '--run', 'y'], /usage: tollgate kill/],
    [['spend', '--form', '7d'], /unknown option --form; did you mean --from\?/],
    [['key', 'create'], /usage: tollgate key create NAME/],
    [['spend', '--offline', '--url', 'http://x'], /exclude each other/],
    [['spend', '--url', 'nowhere'], /--url must be an address/],
  ];
  for (const [argv, message] of table) {
    const { code, err } = await run(argv);
    assert.equal(code, 2, argv.join(' '));
    assert.match(err, message);
  }
});

test('check: a good file, a bad file, none', async (context) => {
  const root = folder(context);
  const good = join(root, 'good.yaml');
  writeFileSync(good, 'providers: { openai: { api_key: env:NOPE } }\nbudgets: []\n');
  const fine = await run(['check', good]);
  assert.deepEqual([fine.code, fine.out], [0, `${good} is good: 1 provider, 0 models, 0 budgets.`]);
  assert.match(fine.err, /warning: .*:1: providers\.openai\.api_key: the environment variable NOPE is not set/);
  const bad = join(root, 'bad.yaml');
  writeFileSync(bad, '\nbudgetz: []\n');
  const refused = await run(['check', bad]);
  assert.deepEqual([refused.code, refused.err], [1, `${bad}:2: budgetz: unknown key; did you mean budgets?`]);
  const asJson = JSON.parse((await run(['check', bad, '--json'])).out) as { ok: boolean; problems: { line: number }[] };
  assert.deepEqual([asJson.ok, asJson.problems[0]?.line], [false, 2]);
  assert.match((await run(['check', join(root, 'none.yaml')])).err, /there is no such file/);
});

test('check warns of as that leads to no price that is known, and of nothing else', async (context) => {
  const file = join(folder(context), 'tollgate.yaml');
  const rules: readonly [match: string, rule: string, warned?: string][] = [
    ['openai/a', '{ as: nosuch/model }', 'nosuch/model'],
    ['openai/b', '{ as: openai/gpt-nosuch }', 'openai/gpt-nosuch'],
    ['openai/c*', '{ as: openai/a }', 'nosuch/model'],
    ['openai/d', '{ as: openai/gpt-4o, from: 2099-01-01 }'],
    ['openai/e', '{ as: gemini/gemini-2.5-flash }'],
    ['google/e', '{ as: nosuch/model }', 'nosuch/model'],
    ['openai/f', '{ as: google/gemini-2.5-flash }'],
    ['openai/w*', '{ as: own/x }'],
    ['openai/h', '{ as: sim/sim-small }'],
    ['own/x', '{ input: 1, output: 1 }'],
    ['own/y', '{ as: own/z }', 'own/z'],
    ['own/*', '{ web_search: 0.01 }'],
  ];
  const own = 'own: { format: openai-chat, base_url: "https://own.example/v1", api_key: env:X }';
  writeFileSync(
    file,
    `providers: { openai: {}, google: {}, ${own} }\nprices:\n${rules.map(([match, rule]) => `  "${match}": ${rule}\n`).join('')}`,
  );
  const environment = { OPENAI_API_KEY: 'k', GEMINI_API_KEY: 'k', X: 'k' };
  const { code, err } = await run(['check', file], environment);
  const expected = rules.flatMap(([match, , name], index) =>
    name === undefined
      ? []
      : `warning: ${file}:${index + 3}: prices.${JSON.stringify(match)}.as: no price is known of ${name}, neither in prices nor in the catalogue that comes with this version`,
  );
  assert.deepEqual([code, err.split('\n')], [0, expected]);
});

test('keys: made, listed, found by name, budgeted, revoked', async (context) => {
  const { asked, url } = await controlPlane(context, {
    'POST /admin/keys': { ...key, key: 'sk-tg-secret' },
    'GET /admin/keys': { data: [key] },
    'PATCH /admin/keys/k1': { ...key, budget: { limit: '5 USD', per: 'month' } },
    'DELETE /admin/keys/k1': { ...key, status: 'revoked' },
  });
  const environment = { TOLLGATE_ADMIN_TOKEN: token };
  const made = await run(
    ['key', 'create', 'ci', '--budget', '5 USD', '--models', 'gpt-*, x/y', '--url', url],
    environment,
  );
  assert.deepEqual([made.code, made.out], [0, 'sk-tg-secret'], 'standard output holds the key alone');
  assert.equal(asked[0]?.authorization, `Bearer ${token}`);
  assert.deepEqual(JSON.parse(asked[0]?.body ?? ''), {
    name: 'ci',
    budget: { limit: '5 USD', per: 'day' },
    allowed_models: ['gpt-*', 'x/y'],
  });
  assert.match((await run(['key', 'list', '--url', url], environment)).out, /^k1 +ci +sk-tg-Ab… +active/m);
  const set = await run(['key', 'budget', 'ci', '5', '--per', 'month', '--url', url], environment);
  assert.equal(set.out, 'k1 (ci): 5 USD per month');
  assert.equal((await run(['key', 'revoke', 'k1', '--url', url], environment)).out, 'Revoked k1 (ci).');
  assert.match((await run(['key', 'revoke', 'zz', '--url', url], environment)).err, /there is no key zz/);
});

test('key list shows what a key may ask for and until when, where that is set', async (context) => {
  const limited = {
    ...key,
    allowed_models: ['gpt-*', 'x/y', 'x/z', 'x/w'],
    expires_at: '2026-12-31T10:00:00.000Z',
  };
  const { url } = await controlPlane(context, {
    'GET /admin/keys': { data: [{ ...key, id: 'k2', allowed_models: [], expires_at: null }, limited] },
  });
  const { out } = await run(['key', 'list', '--url', url], { TOLLGATE_ADMIN_TOKEN: token });
  assert.match(out, /OWNER +MODELS +EXPIRES +CREATED$/m);
  assert.match(out, /^k2 .* - +- +- +2026-01-01$/m);
  assert.match(out, /^k1 .* - +gpt-\*,x\/y,\+2 +2026-12-31 +2026-01-01$/m);
});

test('a key that is no longer in force is said to be so, and since when', async (context) => {
  const revoked = { ...key, id: 'k3', name: 'a', status: 'revoked', revoked_at: '2026-02-01T08:00:00.000Z' };
  const expired = { ...key, id: 'k4', name: 'b', status: 'expired', expires_at: '2026-03-01T00:00:00.000Z' };
  const { url } = await controlPlane(context, {
    'GET /admin/keys': { data: [{ ...revoked, id: 'k5' }, revoked, expired] },
  });
  for (const [argv, message] of [
    [
      ['revoke', 'a'],
      'no key a is in force: k5 was revoked at 2026-02-01T08:00:00.000Z, k3 was revoked at 2026-02-01T08:00:00.000Z; make a new one',
    ],
    [
      ['budget', 'a', '5'],
      'no key a is in force: k5 was revoked at 2026-02-01T08:00:00.000Z, k3 was revoked at 2026-02-01T08:00:00.000Z; make a new one',
    ],
    [['revoke', 'b'], 'no key b is in force: k4 expired at 2026-03-01T00:00:00.000Z; its id still names it'],
  ] as const) {
    const { code, err } = await run(['key', ...argv, '--url', url], { TOLLGATE_ADMIN_TOKEN: token });
    assert.deepEqual([code, err], [1, `tollgate: ${message}`], argv.join(' '));
  }
});

test('spend and price print what the control plane says', async (context) => {
  const line = { requests: 3, cost: 0.0000001, provider: 'openai', model: 'gpt-4o' };
  const { url } = await controlPlane(context, {
    'GET /admin/analytics/costs?from=7d': {
      total_cost: 0.0000001,
      total_requests: 3,
      failed_requests: 1,
      by_model: [line],
      by_key: [],
      by_day: [],
    },
    'GET /admin/prices?model=gpt-4o': {
      targets: [
        {
          provider: 'openai',
          model: 'gpt-4o',
          known: true,
          source: 'c1',
          tiers: [{ above_input_tokens: 0, usd_per_million_tokens: { input: 2.5 }, usd_per_piece: {} }],
        },
      ],
    },
    'GET /admin/prices?model=x': { targets: [{ provider: 'a', model: 'x', known: false, fix: 'prices: …' }] },
  });
  const environment = { TOLLGATE_ADMIN_TOKEN: token };
  const spent = await run(['spend', '--url', url], environment);
  assert.match(
    spent.out,
    /openai\/gpt-4o +3 +0\.0000001\ntotal +3 +0\.0000001\nFailed \(an error, a timeout or a crash\): 1\./,
  );
  assert.match((await run(['price', 'gpt-4o', '--url', url], environment)).out, /input +2\.5 USD per million tokens/);
  const unknown = await run(['price', 'x', '--url', url], environment);
  assert.equal(unknown.code, 1);
  assert.match(unknown.out, /no known price, so requests are refused/);
});

test('spend and top of one key take its name, a revoked one too, and refuse what nobody has', async (context) => {
  const costs = { total_cost: 2, total_requests: 1, failed_requests: 0, by_model: [], by_key: [], by_day: [] };
  const past = { ...key, id: 'k0', name: 'old', status: 'revoked' };
  const { asked, url } = await controlPlane(context, {
    'GET /admin/keys': { data: [key, { ...key, id: 'k9', status: 'revoked' }, past] },
    'GET /admin/analytics/costs?from=7d&key=k1': costs,
    'GET /admin/analytics/costs?from=7d&key=k0': costs,
    'GET /admin/inflight?limit=1000&key=k1': inflight,
  });
  const environment = { TOLLGATE_ADMIN_TOKEN: token };
  for (const argv of [
    ['spend', '--key', 'ci'],
    ['spend', '--key', 'k1'],
    ['spend', '--key', 'old'],
    ['top', '--key', 'ci'],
  ]) {
    const { code, err } = await run([...argv, '--url', url], environment);
    assert.deepEqual([code, err], [0, ''], argv.join(' '));
  }
  const before = asked.length;
  for (const command of ['spend', 'top']) {
    const { code, out, err } = await run([command, '--key', 'typo', '--url', url], environment);
    assert.deepEqual(
      [code, out, err],
      [1, '', 'tollgate: there is no key typo; tollgate key list shows what there is'],
      command,
    );
  }
  assert.deepEqual(
    asked.slice(before).map(({ line }) => line),
    ['GET /admin/keys', 'GET /admin/keys'],
  );
});

test('no gateway, no token, not a control plane: one line each', async (context) => {
  const { url } = await controlPlane(context, {});
  const environment = { TOLLGATE_ADMIN_TOKEN: token };
  assert.match(
    (await run(['key', 'list', '--url', 'http://127.0.0.1:10'], environment)).err,
    /^tollgate: no gateway answers at http:\/\/127\.0\.0\.1:10 \(ECONNREFUSED\)/,
  );
  assert.match(
    (await run(['key', 'list', '--url', url], { TOLLGATE_DATA: folder(context) })).err,
    /no admin token: set TOLLGATE_ADMIN_TOKEN/,
  );
  assert.equal((await run(['key', 'list', '--url', url], environment)).err, 'tollgate: There is nothing here.');
});

test('a gateway of this folder at another address is told from none at all, and the look leaves its lock alone', async (context) => {
  const data = folder(context);
  const environment = { TOLLGATE_ADMIN_TOKEN: token, TOLLGATE_DATA: data, PORT: '10' };
  const none = await run(['spend'], environment);
  assert.match(none.err, /no gateway answers at .*; start one with: tollgate start$/);
  const release = takeLock(data);
  const elsewhere = await run(['spend'], environment);
  assert.equal(elsewhere.code, 1);
  assert.match(elsewhere.err, new RegExp(`a gateway uses ${data} at another address: give it with --url`));
  assert.equal(takeLock(data), undefined);
  release?.();
  assert.match((await run(['spend'], environment)).err, /start one with/);
});

test('--offline in a folder without data is refused, and makes nothing', async (context) => {
  const data = join(folder(context), 'tpyo');
  const openOffline = () => Promise.reject(new Error('opened'));
  const { code, out, err } = await run(['spend', '--offline'], { TOLLGATE_DATA: data }, { openOffline });
  assert.deepEqual([code, out], [1, '']);
  assert.match(err, new RegExp(`^tollgate: there is no data in ${data}; `));
  assert.equal(existsSync(data), false);
});

test('doctor tells a refused key from one that works', async (context) => {
  const root = folder(context);
  const { url } = await controlPlane(context, { 'GET /good/models': {}, 'GET /readyz': { status: 'ready' } });
  const file = join(root, 'tollgate.yaml');
  const environment = { TOLLGATE_DATA: root, OPENAI_API_KEY: 'sk-x' };
  writeFileSync(file, `providers:\n  openai: { base_url: "${url}/good" }\n`);
  const good = await run(['doctor', '--config', file, '--url', url], environment);
  assert.equal(good.code, 0, good.out);
  assert.match(good.out, /^ok +openai +the key works$/m);
  assert.match(good.out, /^ok +gateway +ready at/m);
  const answer = async () => new Response('', { status: 401 });
  const bad = await run(['doctor', '--config', file, '--url', url, '--json'], environment, { fetch: answer });
  assert.equal(bad.code, 1);
  assert.match(bad.out, /the key is refused \(401\)/);
  assert.ok(!bad.out.includes('sk-x'));
});

test('the lock of a data folder has one owner and goes when it is given back', (context) => {
  const root = folder(context);
  const release = takeLock(root);
  assert.ok(release);
  assert.equal(takeLock(root), undefined);
  release();
  const again = takeLock(root);
  assert.ok(again);
  again();
});

const inflight = {
  data: [
    {
      id: 'r1',
      phase: 'streaming',
      key_name: 'ci',
      run: 'a\u001b[2J',
      asked: 'chat',
      provider: 'openai',
      model: 'gpt-4o',
      seconds: 2.5,
      output_characters: 812,
      cost: 0.0015,
      held: 0.02,
    },
  ],
  total: 1,
  cost: 0.0015,
  held: 0.02,
};

test('top: a table once where nobody watches, JSON, and a screen that is renewed until it is left', async (context) => {
  const { url } = await controlPlane(context, {
    'GET /admin/inflight?limit=1000': inflight,
    'GET /admin/inflight?limit=6&key=k1': inflight,
    'GET /admin/keys': { data: [key] },
  });
  const environment = { TOLLGATE_ADMIN_TOKEN: token };
  const { code, out } = await run(['top', '--url', url], environment);
  assert.equal(code, 0);
  assert.match(out, /^1 in flight, 0\.0015 USD so far, 0\.0200 USD held$/m);
  assert.match(out, /^r1 +2\.5s +streaming +ci +a\?\[2J +openai\/gpt-4o +812 +0\.0015 USD +0\.0200 USD$/m);
  assert.deepEqual(JSON.parse((await run(['top', '--json', '--url', url], environment)).out), inflight);
  const shown: string[][] = [];
  const screen = {
    size: () => ({ rows: 10, width: 20 }),
    show: async (lines: readonly string[]) => shown.push([...lines]) < 3,
  };
  assert.equal((await run(['top', '--key', 'k1', '--url', url], environment, { screen })).code, 0);
  assert.equal(shown.length, 3);
  assert.ok(shown[0]?.every((line) => line.length <= 20) && shown[0].length === 4);
});

test('kill: a request, a run, a key by its name; what it ended and whether others know', async (context) => {
  const { asked, url } = await controlPlane(context, {
    'POST /admin/kill': { what: 'request', id: 'r1', found: 1, ended_here: 1, others_told: true, elsewhere: true },
    'GET /admin/keys': { data: [key] },
  });
  const environment = { TOLLGATE_ADMIN_TOKEN: token };
  const ended = await run(['kill', 'r1', '--url', url], environment);
  assert.deepEqual(
    [ended.code, ended.out],
    [0, 'Ended 1 of the request r1; other instances, where there are any, were told.'],
  );
  await run(['kill', '--run', 'nightly', '--url', url], environment);
  await run(['kill', '--key', 'ci', '--url', url], environment);
  const bodies = asked.filter(({ line }) => line === 'POST /admin/kill').map(({ body }) => JSON.parse(body) as unknown);
  assert.deepEqual(bodies, [{ request: 'r1' }, { run: 'nightly' }, { key: 'k1' }]);
});

for (const { about, answer, code, says } of [
  { about: 'that nobody runs', answer: { found: 0 }, code: 1, says: 'Nothing in flight of the request r1.' },
  {
    about: 'that another instance may run',
    answer: { found: 0, elsewhere: true },
    code: 0,
    says: 'Nothing in flight here of the request r1; other instances, where there are any, were told.',
  },
  {
    about: 'that others were not told of',
    answer: { found: 3, ended_here: 1, others_told: false },
    code: 1,
    says: 'Ended 1 of the request r1 here; the store is away, so nobody else was told.',
  },
  { about: 'of one instance', answer: { found: 2 }, code: 0, says: 'Ended 2 of the request r1.' },
])
  test(`kill of a request ${about} ends with ${code}`, async (context) => {
    const plain = { what: 'request', id: 'r1', ended_here: 0, others_told: true, elsewhere: false };
    const { url } = await controlPlane(context, { 'POST /admin/kill': { ...plain, ...answer } });
    const done = await run(['kill', 'r1', '--url', url], { TOLLGATE_ADMIN_TOKEN: token });
    assert.deepEqual([done.code, done.out + done.err], [code, says]);
    const json = await run(['kill', 'r1', '--json', '--url', url], { TOLLGATE_ADMIN_TOKEN: token });
    assert.deepEqual([json.code, JSON.parse(json.out)], [code, { ...plain, ...answer }]);
  });

test('catalog show: how many models each provider has, and what those of one cost', async (context) => {
  const state = { version: 'c1', source: 'packaged', applied_at: null, problem: null };
  const tiers = [
    {
      above_input_tokens: 0,
      usd_per_million_tokens: { input: 2.5, cache_read: 0.0000001 },
      usd_per_piece: { web_searches: 0.01 },
    },
    { above_input_tokens: 200_000, usd_per_million_tokens: {}, usd_per_piece: {} },
  ];
  const models = [
    { model: 'gpt-4o', known: true, free: false, tiers },
    { model: 'gpt-9', known: false },
  ];
  const { url } = await controlPlane(context, {
    'GET /admin/catalogue': {
      ...state,
      providers: [
        { name: 'openai', models: 12 },
        { name: 'own', models: 0 },
      ],
    },
    'GET /admin/catalogue?provider=openai': { ...state, models },
  });
  const environment = { TOLLGATE_ADMIN_TOKEN: token };
  const all = await run(['catalog', 'show', '--url', url], environment);
  assert.match(
    all.out,
    /^c1 \(packaged\) is in force\.\n\nPROVIDER +MODELS IN THE CATALOGUE\nopenai +12\nown +none: priced by prices: alone$/,
  );
  const one = await run(['catalog', 'show', 'openai', '--url', url], environment);
  assert.match(one.out, /^MODEL +INPUT +CACHED +OUTPUT +NOTE$/m);
  assert.match(one.out, /^gpt-4o +2\.5 +0\.0000001 +none +other above 200000 input tokens; web searches 0\.01 each$/m);
  assert.match(one.out, /^gpt-9 +- +- +- +no price$/m);
  const json = await run(['catalog', 'show', 'openai', '--json', '--url', url], environment);
  assert.deepEqual(JSON.parse(json.out), { ...state, models });
});
